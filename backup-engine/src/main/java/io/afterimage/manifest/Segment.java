package io.afterimage.manifest;

import java.util.Arrays;
import java.util.function.LongConsumer;

/**
 * The map of {@value #CHUNKS} consecutive chunks of a disk, decoded: runs of chunks whose frames lie side by side in one
 * pack. Immutable. A place is found by binary search over the runs and a sum of at most {@value #STRIDE} lengths.
 */
final class Segment {

    /** Chunks in a segment; the number is part of the format. */
    static final int CHUNKS = 4096;

    /** Sums of lengths are kept at every so many chunks. */
    private static final int STRIDE = 64;

    private final short[] firsts;
    private final short[] counts;
    private final int[] packs;
    /** For each run, its offset less the sum of all lengths before it: plus the sum up to a chunk, that chunk's offset. */
    private final int[] bases;
    /** For each run, the index of its first length. */
    private final short[] lengthsFrom;
    private final byte[] lengthCodes;
    private final int[] sums;
    private final int unitsOfZero;

    /** Chunks {@code [first, first + count)} of the segment, from unit {@code offset} of pack number {@code pack} on. */
    record Run(int first, int count, int pack, int offset) {

        int end() {
            return first + count;
        }
    }

    /**
     * @param runs ordered by their first chunk, not overlapping
     * @param lengthCodes a length code for each chunk of each run, in order
     * @param unitsOfZero the units that the length code 0 stands for
     */
    Segment(Run[] runs, byte[] lengthCodes, int unitsOfZero) {
        this.lengthCodes = lengthCodes;
        this.unitsOfZero = unitsOfZero;
        sums = new int[lengthCodes.length / STRIDE + 1];
        int sum = 0;
        for (int i = 0; i < lengthCodes.length; i++) {
            if (i % STRIDE == 0) {
                sums[i / STRIDE] = sum;
            }
            sum += units(i);
        }
        firsts = new short[runs.length];
        counts = new short[runs.length];
        packs = new int[runs.length];
        bases = new int[runs.length];
        lengthsFrom = new short[runs.length];
        int from = 0;
        for (int i = 0; i < runs.length; i++) {
            firsts[i] = (short) runs[i].first();
            counts[i] = (short) runs[i].count();
            packs[i] = runs[i].pack();
            lengthsFrom[i] = (short) from;
            bases[i] = runs[i].offset() - sumBefore(from);
            from += runs[i].count();
        }
    }

    /** The {@link Place} of a chunk of this segment. */
    long place(int chunk) {
        int run = runAt(chunk);
        if (run < 0) {
            return Place.ABSENT;
        }
        int length = lengthsFrom[run] + chunk - firsts[run];
        return Place.of(packs[run], bases[run] + sumBefore(length), Byte.toUnsignedInt(lengthCodes[length]));
    }

    /** The first chunk in {@code [chunk, CHUNKS]} that is present, or absent, as {@code present} asks; CHUNKS if none is. */
    int next(int chunk, boolean present) {
        int run = runAt(chunk);
        if (present) {
            return run >= 0 ? chunk : -run - 1 < firsts.length ? firsts[-run - 1] : CHUNKS;
        }
        int at = chunk;
        while (run >= 0 && run < firsts.length && firsts[run] <= at) {
            at = firsts[run] + counts[run];
            run++;
        }
        return at;
    }

    /** The last chunk in {@code [0, end)} that is present; -1 if none is. */
    int last(int end) {
        int run = end == 0 ? -1 : runAt(end - 1);
        if (run >= 0) {
            return end - 1;
        }
        int before = -run - 2;
        return before < 0 ? -1 : firsts[before] + counts[before] - 1;
    }

    /** Tells the {@link Place} of each chunk that is present, in order. */
    void forEachPlace(LongConsumer visitor) {
        int length = 0;
        for (int run = 0; run < firsts.length; run++) {
            int offset = bases[run] + sumBefore(length);
            for (int i = 0; i < counts[run]; i++) {
                visitor.accept(Place.of(packs[run], offset, Byte.toUnsignedInt(lengthCodes[length])));
                offset += units(length++);
            }
        }
    }

    /** The run that holds {@code chunk}, or {@code -(index + 1)} of the first one behind it. */
    private int runAt(int chunk) {
        int index = Arrays.binarySearch(firsts, (short) chunk);
        if (index >= 0) {
            return index;
        }
        int before = -index - 2;
        return before >= 0 && chunk < firsts[before] + counts[before] ? before : index;
    }

    private int sumBefore(int length) {
        if (length == lengthCodes.length && length % STRIDE == 0 && length > 0) {
            return sumBefore(length - 1) + units(length - 1);
        }
        int sum = sums[length / STRIDE];
        for (int i = length & -STRIDE; i < length; i++) {
            sum += units(i);
        }
        return sum;
    }

    private int units(int index) {
        int code = Byte.toUnsignedInt(lengthCodes[index]);
        return code != 0 ? code : unitsOfZero;
    }
}
