package io.afterimage.chunk;

/**
 * Where a chunk's frame lies: all that a reader needs to fetch it with one ranged request.
 *
 * @param pack the pack
 * @param offset the frame's first byte in the pack, in units of {@link ChunkSize#unit}; at least 1, below {@link #OFFSETS}
 * @param lengthCode the frame's length: 1 to 255 units, or 0 for a frame that holds the chunk as it is ({@link #units})
 */
public record ChunkAddress(PackId pack, int offset, int lengthCode) {

    /** Offsets are below this, so that an address fits a long beside a pack's number. */
    public static final int OFFSETS = 1 << 24;

    public ChunkAddress {
        if (offset < 1 || offset >= OFFSETS || lengthCode < 0 || lengthCode > 255) {
            throw new IllegalArgumentException("not a chunk address: offset " + offset + ", length code " + lengthCode);
        }
    }

    /** The length in units that {@code lengthCode} tells. */
    public static int units(int lengthCode, ChunkSize chunkSize) {
        return lengthCode != 0 ? lengthCode : chunkSize.units(FrameCodec.HEADER_LENGTH + chunkSize.bytes() + PackSeal.LARGEST_OVERHEAD);
    }

    /** The frame's first byte in the pack. */
    public long byteOffset(ChunkSize chunkSize) {
        return (long) offset * chunkSize.unit();
    }

    /** The frame's length in bytes, padding included. */
    public int byteLength(ChunkSize chunkSize) {
        return units(lengthCode, chunkSize) * chunkSize.unit();
    }

    @Override
    public String toString() {
        return pack + "+" + offset;
    }
}
