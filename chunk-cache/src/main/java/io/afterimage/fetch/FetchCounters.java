package io.afterimage.fetch;

import java.util.concurrent.atomic.LongAdder;

/** Counts what a {@link ChunkFetcher} does. Thread-safe. */
final class FetchCounters {

    private final LongAdder demanded = new LongAdder();
    private final LongAdder requests = new LongAdder();
    private final LongAdder backgroundRequests = new LongAdder();
    private final LongAdder bytes = new LongAdder();

    void demanded() {
        demanded.increment();
    }

    void fetched(boolean background, int length) {
        requests.increment();
        if (background) {
            backgroundRequests.increment();
        }
        bytes.add(length);
    }

    FetchStatistics statistics(int underWay) {
        return new FetchStatistics(demanded.sum(), underWay, requests.sum(), backgroundRequests.sum(), bytes.sum());
    }
}
