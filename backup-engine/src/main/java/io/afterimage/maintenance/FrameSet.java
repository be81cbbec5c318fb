package io.afterimage.maintenance;

import io.afterimage.chunk.ChunkAddress;
import io.afterimage.chunk.ChunkSize;
import java.util.Arrays;

/** Frames of one pack, four bytes each. For one thread. */
final class FrameSet {

    private static final int FIRST_CAPACITY = 16;
    private static final int OFFSET_SHIFT = 8;
    private static final int LENGTH_MASK = 0xff;

    /** Offset and length code, with the top bit turned so that they sort by offset; perhaps repeated from {@code distinct} on. */
    private int[] frames = new int[FIRST_CAPACITY];

    private int size;
    private int distinct;

    void add(int offset, int lengthCode) {
        int frame = (offset << OFFSET_SHIFT | lengthCode) ^ Integer.MIN_VALUE;
        if (size == frames.length) {
            settle();
            if (size > frames.length / 2) {
                frames = Arrays.copyOf(frames, 2 * frames.length);
            }
        }
        frames[size++] = frame;
    }

    /** Sorts, and drops what is there twice. */
    private void settle() {
        if (distinct == size) {
            return;
        }
        Arrays.sort(frames, 0, size);
        int kept = 0;
        for (int i = 0; i < size; i++) {
            if (kept == 0 || frames[i] != frames[kept - 1]) {
                frames[kept++] = frames[i];
            }
        }
        size = kept;
        distinct = kept;
    }

    /** Whether a frame begins there. */
    boolean contains(int offset) {
        settle();
        int from = (offset << OFFSET_SHIFT) ^ Integer.MIN_VALUE;
        int found = Arrays.binarySearch(frames, 0, size, from);
        int first = found >= 0 ? found : -found - 1;
        return first < size && frames[first] - from <= LENGTH_MASK && frames[first] >= from;
    }

    int count() {
        settle();
        return size;
    }

    /** The frames' lengths together, in bytes. */
    long bytes(ChunkSize chunkSize) {
        settle();
        long units = 0;
        for (int i = 0; i < size; i++) {
            units += ChunkAddress.units(frames[i] & LENGTH_MASK, chunkSize);
        }
        return units * chunkSize.unit();
    }

    /** Told a frame. */
    @FunctionalInterface
    interface Visitor {
        void visit(int offset, int lengthCode);
    }

    /** Tells the frames in the order in which they lie. */
    void forEach(Visitor visitor) {
        settle();
        for (int i = 0; i < size; i++) {
            int frame = frames[i] ^ Integer.MIN_VALUE;
            visitor.visit(frame >>> OFFSET_SHIFT, frame & LENGTH_MASK);
        }
    }
}
