package io.afterimage.manifest;

import io.afterimage.chunk.ChunkAddress;

/** A chunk's address in one long: the number of its pack, then offset (24 bits) and length code (8 bits) as they are there. */
final class Place {

    /** Of a chunk that is not in the map, and so is all zeros. */
    static final long ABSENT = -1;

    private static final int OFFSET_SHIFT = 8;
    private static final int PACK_SHIFT = 32;
    private static final int LENGTH_MASK = 0xff;
    private static final int OFFSET_MASK = ChunkAddress.OFFSETS - 1;

    private Place() {}

    static long of(int pack, int offset, int lengthCode) {
        return ((long) pack << PACK_SHIFT) | ((long) offset << OFFSET_SHIFT) | lengthCode;
    }

    static int pack(long place) {
        return (int) (place >>> PACK_SHIFT);
    }

    static int offset(long place) {
        return (int) (place >>> OFFSET_SHIFT) & OFFSET_MASK;
    }

    static int lengthCode(long place) {
        return (int) place & LENGTH_MASK;
    }
}
