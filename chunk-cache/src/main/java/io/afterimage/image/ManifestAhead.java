package io.afterimage.image;

import io.afterimage.catalog.HeldPoint;
import io.afterimage.manifest.ManifestObjects.Name;
import io.afterimage.repository.Repository;
import java.io.Closeable;
import java.io.IOException;
import java.util.Optional;
import java.util.concurrent.CancellationException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.function.Predicate;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A manifest that comes while the descriptor that vouches for it is on its way, too, so that an opening waits for both at once. Nothing in it is believed, or looked at, before the
 * descriptor is there. For one opening and its thread; closed when that is over, which calls off what nobody has taken.
 */
public final class ManifestAhead implements Closeable {

    private static final Logger LOG = LoggerFactory.getLogger(ManifestAhead.class);

    /** What is longer waits for its descriptor: of what nobody has vouched for, a store may send as much as it likes. Enough for a TiB. */
    private static final int LONGEST = 16 << 20;

    private final Repository repository;
    private final Predicate<Name> known;
    private Name name;
    private FutureTask<byte[]> object;

    /** @param known whether a manifest is at hand already */
    ManifestAhead(Repository repository, Predicate<Name> known) {
        this.repository = repository;
        this.known = known;
    }

    /** This point will probably be opened. The first one that is expected is fetched. */
    public void expect(Name point) {
        if (object == null && !known.test(point)) {
            name = point;
            object = new FutureTask<>(() -> repository.manifestObject(point, LONGEST));
            Thread.ofVirtual().name("manifest ahead").start(object);
        }
    }

    /** The object of the point's manifest, waited for; empty if another one was expected, or if it could not be had, which whoever asks for it again will be told of. */
    Optional<byte[]> of(HeldPoint point) throws IOException {
        if (object == null || !name.equals(new Name(point.machine(), point.point()))) {
            return Optional.empty();
        }
        try {
            return Optional.of(object.get());
        } catch (ExecutionException | CancellationException e) {
            LOG.debug("The manifest of {} did not come ahead of its descriptor", point.point(), e);
            return Optional.empty();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted while a manifest was fetched", e);
        }
    }

    @Override
    public void close() {
        if (object != null) {
            object.cancel(true);
        }
    }
}
