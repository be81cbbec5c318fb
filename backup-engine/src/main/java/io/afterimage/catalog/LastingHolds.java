package io.afterimage.catalog;

import io.afterimage.store.KeyPrefix;
import io.afterimage.store.ObjectKey;
import io.afterimage.store.ObjectStore;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Instant;
import java.util.List;
import java.util.UUID;

/**
 * Keep what points need from garbage collection though no process lives that renews a lease, until they are removed: {@code leases/read/<id>.json} that
 * expires in the year 9999, which every garbage collection honours. For what outlives processes, such as an overlay. Thread-safe.
 */
public final class LastingHolds {

    private static final Instant NEVER = Instant.parse("9999-01-01T00:00:00Z");

    private final ObjectStore store;
    private final Catalog catalog;

    public LastingHolds(ObjectStore store, Catalog catalog) {
        this.store = store;
        this.catalog = catalog;
    }

    /**
     * Holds the point from now on. Answers false, and holds nothing, if the point is not there any more: then nothing may be built on it.
     *
     * @param id random, the holder's to keep
     */
    public boolean add(UUID id, HeldPoint point) throws IOException {
        store.put(key(id), ByteBuffer.wrap(LeaseContent.of(NEVER, Host.self(), List.of(point)).toJson()));
        // Only now, as with any hold: a point that is there after it is will be seen by gc, by the one or by the other.
        if (catalog.isThere(point.machine(), point.point())) {
            return true;
        }
        remove(id);
        return false;
    }

    /** Whether the hold is there. */
    public boolean isThere(UUID id) throws IOException {
        return store.list(new KeyPrefix(key(id).value())).hasNext();
    }

    /** The point is held no longer; no harm if it was not. */
    public void remove(UUID id) throws IOException {
        store.delete(key(id));
    }

    private static ObjectKey key(UUID id) {
        return ObjectKey.of("leases", "read", id + ".json");
    }
}
