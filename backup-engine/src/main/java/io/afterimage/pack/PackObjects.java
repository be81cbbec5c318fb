package io.afterimage.pack;

import io.afterimage.chunk.ChunkSize;
import io.afterimage.chunk.PackId;
import io.afterimage.store.KeyPrefix;
import io.afterimage.store.ObjectKey;
import java.util.Optional;

/** Where packs lie in a store: {@code packs/<first two digits>/<id>}, so that no folder grows beyond measure. */
public final class PackObjects {

    /** All packs. */
    public static final KeyPrefix ALL = KeyPrefix.folder("packs");

    private PackObjects() {}

    public static ObjectKey key(PackId id) {
        String name = id.toString();
        return ObjectKey.of("packs", name.substring(0, 2), name);
    }

    /** How long a pack is, in bytes, that holds so many frames of so many bytes together. */
    public static long length(int frames, long frameBytes, ChunkSize chunkSize) {
        return (long) PackLayout.firstOffset(chunkSize) * chunkSize.unit()
                + frameBytes
                + (long) frames * PackLayout.ENTRY_LENGTH
                + PackLayout.TRAILER_LENGTH;
    }

    /** The pack that lies at {@code key}; empty if that is no place of a pack. */
    public static Optional<PackId> id(ObjectKey key) {
        try {
            PackId id = PackId.parse(key.name());
            return key(id).equals(key) ? Optional.of(id) : Optional.empty();
        } catch (IllegalArgumentException e) {
            return Optional.empty();
        }
    }
}
