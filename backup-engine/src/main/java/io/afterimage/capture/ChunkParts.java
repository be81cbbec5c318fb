package io.afterimage.capture;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.BitSet;

/** A chunk of which parts have come, in whole sectors. Not thread-safe. */
final class ChunkParts {

    private static final int SECTOR = 512;

    private final byte[] content;
    private final int length;
    private final BitSet sectors = new BitSet();

    /** @param length how much of the chunk lies on the disk */
    ChunkParts(int chunkBytes, int length) {
        this.content = new byte[chunkBytes];
        this.length = length;
    }

    /** Takes the next part; false when some of it has come before. */
    boolean add(int offset, ByteBuffer part) throws IOException {
        int end = offset + part.remaining();
        if (offset % SECTOR != 0 || (end % SECTOR != 0 && end != length)) {
            throw new IOException("a part of a chunk that is not whole sectors: offset " + offset + ", length " + part.remaining());
        }
        int first = offset / SECTOR;
        int last = Math.ceilDiv(end, SECTOR);
        int known = sectors.nextSetBit(first);
        if (known >= 0 && known < last) {
            return false;
        }
        sectors.set(first, last);
        part.get(content, offset, part.remaining());
        return true;
    }

    boolean areAll() {
        return sectors.cardinality() == Math.ceilDiv(length, SECTOR);
    }

    /** The whole chunk; what lies beyond the disk's end is zero. */
    byte[] content() {
        return content;
    }
}
