package io.afterimage.maintenance;

import io.afterimage.chunk.ChunkAddress;
import io.afterimage.chunk.ChunkSize;
import io.afterimage.chunk.PackId;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeMap;

/** The frames that points need, each once, by pack and in the order of the pack. For one thread while it is filled. */
final class NeededFrames {

    private final TreeMap<PackId, FrameSet> packs = new TreeMap<>();

    void add(PackId pack, int offset, int lengthCode) {
        packs.computeIfAbsent(pack, _ -> new FrameSet()).add(offset, lengthCode);
    }

    /** In order. */
    Set<PackId> packs() {
        return packs.keySet();
    }

    /** The frames of a pack that is needed, in order. */
    List<ChunkAddress> of(PackId pack) {
        FrameSet frames = packs.get(pack);
        List<ChunkAddress> addresses = new ArrayList<>(frames.count());
        frames.forEach((offset, lengthCode) -> addresses.add(new ChunkAddress(pack, offset, lengthCode)));
        return addresses;
    }

    /** The bytes of all those. */
    long bytes(PackId pack, ChunkSize chunkSize) {
        return packs.get(pack).bytes(chunkSize);
    }
}
