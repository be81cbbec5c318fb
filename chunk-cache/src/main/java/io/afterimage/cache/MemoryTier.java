package io.afterimage.cache;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import io.afterimage.chunk.ChunkAddress;
import java.nio.ByteBuffer;

/**
 * Decoded chunks in memory, bounded by bytes, shared by all images: points that share a chunk share its entry. Thread-safe;
 * never blocks.
 */
public final class MemoryTier {

    private final Cache<ChunkAddress, ByteBuffer> chunks;

    /** A tier of at most {@code bytes} of chunks. */
    public MemoryTier(long bytes) {
        chunks = Caffeine.newBuilder()
                .maximumWeight(bytes)
                .weigher((ChunkAddress address, ByteBuffer chunk) -> chunk.capacity())
                .build();
    }

    /** The chunk, read-only and of position 0, or null. A buffer of the caller's own: its position may be moved. */
    public ByteBuffer get(ChunkAddress address) {
        ByteBuffer chunk = chunks.getIfPresent(address);
        return chunk == null ? null : chunk.duplicate();
    }

    /** Keeps a chunk that has been verified. The buffer must not change any more. */
    public void put(ChunkAddress address, ByteBuffer chunk) {
        chunks.put(address, chunk.asReadOnlyBuffer());
    }
}
