package io.afterimage.chunk;

import java.nio.ByteBuffer;

/**
 * A chunk ready to be laid into a pack.
 *
 * @param id the identity of the chunk
 * @param compression how the payload came from the chunk
 * @param payload the encoded bytes, from its position to its limit; not copied, and must not change any more
 */
public record EncodedChunk(ChunkId id, Compression compression, ByteBuffer payload) {}
