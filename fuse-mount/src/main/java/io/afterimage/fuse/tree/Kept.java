package io.afterimage.fuse.tree;

import io.afterimage.store.Ticker;
import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.locks.ReentrantLock;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Something that is asked of the store again when it has grown old: after the given time, or ten times what it took to ask, whichever is
 * longer. One thread asks; the others, and everybody while the store cannot be asked, get what was known before. Thread-safe.
 */
final class Kept<T> {

    private static final Logger LOG = LoggerFactory.getLogger(Kept.class);
    private static final int TIMES_ITS_COST = 10;

    /** Asks the store. */
    @FunctionalInterface
    interface Source<T> {
        T ask() throws IOException;
    }

    private record Answer<T>(T value, long until) {}

    private final Source<T> source;
    private final Ticker ticker;
    private final long lifetime;
    private final ReentrantLock asking = new ReentrantLock();
    private volatile Answer<T> answer;

    Kept(Source<T> source, Ticker ticker, Duration lifetime) {
        this.source = source;
        this.ticker = ticker;
        this.lifetime = lifetime.toNanos();
    }

    /** @throws IOException if it was never known and cannot be asked */
    T get() throws IOException {
        Answer<T> known = answer;
        if (known != null && (isYoung(known) || !asking.tryLock())) {
            return known.value;
        }
        if (known == null) {
            asking.lock();
        }
        try {
            known = answer;
            if (known == null || !isYoung(known)) {
                answer = ask(known);
            }
            return answer.value;
        } finally {
            asking.unlock();
        }
    }

    private boolean isYoung(Answer<T> known) {
        return ticker.nanoTime() - known.until < 0;
    }

    private Answer<T> ask(Answer<T> known) throws IOException {
        long begin = ticker.nanoTime();
        T value;
        try {
            value = source.ask();
        } catch (IOException e) {
            if (known == null) {
                throw e;
            }
            LOG.warn("The store cannot be asked what is new, and what was there before is shown: {}", e.getMessage());
            value = known.value;
        }
        long end = ticker.nanoTime();
        return new Answer<>(value, end + Math.max(lifetime, TIMES_ITS_COST * (end - begin)));
    }
}
