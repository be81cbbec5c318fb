package io.afterimage.catalog;

import io.afterimage.manifest.MachineName;
import io.afterimage.manifest.PointId;
import io.afterimage.store.KeyPrefix;
import io.afterimage.store.Listing;
import io.afterimage.store.ObjectKey;
import io.afterimage.store.ObjectStore;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.HashSet;
import java.util.Optional;
import java.util.Set;

/**
 * Which points must not be forgotten: each has an object {@code protected/<machine>/<point id>.json} beside its descriptor, which never changes. Reads
 * the store whenever it is asked. Thread-safe.
 */
public final class Protections {

    private static final String FOLDER = "protected";
    private static final String SUFFIX = ".json";
    private static final String CONTENT = "{\"format\":1}";

    private final ObjectStore store;

    public Protections(ObjectStore store) {
        this.store = store;
    }

    private static ObjectKey key(MachineName machine, PointId point) {
        return ObjectKey.of(FOLDER, machine.text(), point.hex() + SUFFIX);
    }

    /** Protects the point from now on; no harm if it is protected already. */
    public void add(MachineName machine, PointId point) throws IOException {
        store.put(key(machine, point), ByteBuffer.wrap(CONTENT.getBytes(StandardCharsets.UTF_8)));
    }

    /** The point may be forgotten again. */
    public void remove(MachineName machine, PointId point) throws IOException {
        store.delete(key(machine, point));
    }

    /** The protected points of a machine. An object there counts by its name, whatever it holds. */
    public Set<PointId> of(MachineName machine) throws IOException {
        Set<PointId> points = new HashSet<>();
        Listing listing = store.list(KeyPrefix.folder(FOLDER, machine.text()));
        while (listing.hasNext()) {
            id(listing.next().key().name()).ifPresent(points::add);
        }
        return points;
    }

    private static Optional<PointId> id(String name) {
        try {
            return Optional.of(new PointId(name.endsWith(SUFFIX) ? name.substring(0, name.length() - SUFFIX.length()) : ""));
        } catch (IllegalArgumentException e) {
            return Optional.empty();
        }
    }
}
