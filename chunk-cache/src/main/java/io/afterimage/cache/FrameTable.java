package io.afterimage.cache;

import io.afterimage.chunk.ChunkAddress;
import java.util.Arrays;
import java.util.function.IntPredicate;

/**
 * Where frames lie in segment files, in 16 bytes each: an open hash table of fingerprints. A fingerprint may be another's, so that who follows it looks whether the record there is the one he
 * wants. Entries of segments that are gone go when the table is made anew. Not thread-safe.
 */
final class FrameTable {

    private static final long USED = 1L << 63;
    private static final int SEGMENT_SHIFT = 36;
    private static final long POSITION = (1L << SEGMENT_SHIFT) - 1;
    private static final int SMALLEST = 1 << 10;

    private long[] fingerprints = new long[SMALLEST];
    /** 0 where there is none; else the used bit, a segment's number, the position in it. */
    private long[] values = new long[SMALLEST];

    private int filled;
    private final IntPredicate isThere;

    /** @param isThere whether a segment still is */
    FrameTable(IntPredicate isThere) {
        this.isThere = isThere;
    }

    private static long fingerprint(ChunkAddress place) {
        long hash = place.pack().high() * 0x9e3779b97f4a7c15L ^ Long.rotateLeft(place.pack().low(), 31) ^ (place.offset() * 0xc2b2ae3d27d4eb4fL + place.lengthCode());
        hash = (hash ^ (hash >>> 32)) * 0xd6e8feb86659fd93L;
        return hash ^ (hash >>> 32);
    }

    private int slot(long fingerprint) {
        int slot = (int) fingerprint & (values.length - 1);
        while (values[slot] != 0 && fingerprints[slot] != fingerprint) {
            slot = (slot + 1) & (values.length - 1);
        }
        return slot;
    }

    /** Remembers a place, instead of what was remembered of it before. */
    void put(ChunkAddress place, int segment, long position) {
        if (filled * 3 >= values.length * 2) {
            rebuild();
        }
        put(fingerprint(place), (long) segment << SEGMENT_SHIFT | position);
    }

    private void put(long fingerprint, long value) {
        int slot = slot(fingerprint);
        filled += values[slot] == 0 ? 1 : 0;
        fingerprints[slot] = fingerprint;
        values[slot] = value;
    }

    /** What {@link #segment} and {@link #position} take apart; 0 if nothing is remembered. */
    long find(ChunkAddress place) {
        long value = values[slot(fingerprint(place))] & ~USED;
        return value != 0 && isThere.test(segment(value)) ? value : 0;
    }

    /** Notes that what {@link #find} found was of use. */
    void use(ChunkAddress place) {
        int slot = slot(fingerprint(place));
        values[slot] |= values[slot] == 0 ? 0 : USED;
    }

    /** Takes note that it is not there, after all. */
    void forget(ChunkAddress place) {
        int slot = slot(fingerprint(place));
        // Of a segment that is never there: an empty slot would hide those behind it.
        values[slot] = values[slot] == 0 ? 0 : (long) NOWHERE << SEGMENT_SHIFT;
    }

    /** The number of a segment that does not exist; others count from 1. */
    static final int NOWHERE = 0x7ffffff;

    /** The positions in a segment of frames that were of use since they were put there, in their order. */
    long[] used(int segment) {
        return Arrays.stream(values)
                .filter(value -> value < 0 && segment(value) == segment)
                .map(value -> value & POSITION)
                .sorted()
                .toArray();
    }

    static int segment(long value) {
        return (int) ((value & ~USED) >>> SEGMENT_SHIFT);
    }

    static long position(long value) {
        return value & POSITION;
    }

    private void rebuild() {
        long[] oldFingerprints = fingerprints;
        long[] oldValues = values;
        int live = 0;
        for (long value : oldValues) {
            live += value != 0 && isThere.test(segment(value)) ? 1 : 0;
        }
        int size = SMALLEST;
        while (size < live * 3) {
            size *= 2;
        }
        fingerprints = new long[size];
        values = new long[size];
        filled = 0;
        for (int i = 0; i < oldValues.length; i++) {
            if (oldValues[i] != 0 && isThere.test(segment(oldValues[i]))) {
                put(oldFingerprints[i], oldValues[i]);
            }
        }
    }
}
