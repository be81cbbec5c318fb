package io.afterimage.repository;

import io.afterimage.chunk.ChunkAddress;
import io.afterimage.chunk.ChunkId;
import java.util.Optional;

/**
 * Where a chunk is looked for.
 *
 * @param address what a manifest calls it by
 * @param place where its frame is read: the same, unless it has been moved
 * @param chunk what must be found there if it has been moved; at home there is nothing else that it could be
 */
public record FrameLocation(ChunkAddress address, ChunkAddress place, Optional<ChunkId> chunk) {

    /** Where the manifest says. */
    public static FrameLocation home(ChunkAddress address) {
        return new FrameLocation(address, address, Optional.empty());
    }

    public boolean isHome() {
        return chunk.isEmpty();
    }
}
