package io.afterimage.chunk;

/**
 * A chunk ready to be laid into a pack. The payload is not copied and must not change any more.
 *
 * @param id the identity of the chunk
 * @param compression how the payload came from the chunk
 * @param payload holds the encoded bytes from {@code offset} on
 * @param offset the first byte of the payload
 * @param length the number of bytes
 */
public record EncodedChunk(ChunkId id, Compression compression, byte[] payload, int offset, int length) {

    /** The length code of its frame: see {@link ChunkAddress}. */
    public int lengthCode(ChunkSize chunkSize) {
        return compression == Compression.NONE ? 0 : chunkSize.units(FrameCodec.HEADER_LENGTH + length);
    }
}
