package io.afterimage.image;

import java.util.concurrent.atomic.LongAdder;

/** Counts chunks that were read, by where they came from. Thread-safe. */
final class ReadCounters {

    private final LongAdder hits = new LongAdder();
    private final LongAdder misses = new LongAdder();

    /** A read needed chunks that were missing, and others that were in memory, or zeros. */
    void read(long missing, long atHand) {
        if (missing > 0) {
            misses.add(missing);
        }
        if (atHand > 0) {
            hits.add(atHand);
        }
    }

    long hits() {
        return hits.sum();
    }

    long misses() {
        return misses.sum();
    }
}
