package io.afterimage.fuse.tree;

import io.afterimage.pack.PackObjects;
import io.afterimage.store.Listing;
import io.afterimage.store.ObjectStore;
import io.afterimage.store.Ticker;
import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What a repository takes in its store.
 *
 * @param packs how many
 * @param bytes of the packs
 */
public record Usage(long packs, long bytes) {

    /** Counts by listing the packs, which in a large repository takes long: in the background, and not often. Thread-safe. */
    static final class Meter {

        private static final Logger LOG = LoggerFactory.getLogger(Meter.class);
        private static final Duration LIFETIME = Duration.ofMinutes(10);
        private static final Duration PATIENCE = Duration.ofMillis(500);

        private final ObjectStore store;
        private final Ticker ticker;
        private final AtomicBoolean counting = new AtomicBoolean();
        private final CountDownLatch once = new CountDownLatch(1);
        private volatile Usage known = new Usage(0, 0);
        private volatile long until;

        Meter(ObjectStore store, Ticker ticker) {
            this.store = store;
            this.ticker = ticker;
            until = ticker.nanoTime();
        }

        /** What was counted last. The first time it waits a little for that; a count that takes longer is told next time. */
        Usage now() {
            if (ticker.nanoTime() - until >= 0 && counting.compareAndSet(false, true)) {
                Thread.ofVirtual().name("usage").start(this::count);
            }
            try {
                boolean counted = once.await(PATIENCE.toMillis(), TimeUnit.MILLISECONDS);
                LOG.trace("counted before: {}", counted);
            } catch (InterruptedException _) {
                Thread.currentThread().interrupt();
            }
            return known;
        }

        private void count() {
            long packs = 0;
            long bytes = 0;
            try {
                Listing listing = store.list(PackObjects.ALL);
                while (listing.hasNext()) {
                    bytes += listing.next().size();
                    packs++;
                }
                known = new Usage(packs, bytes);
                once.countDown();
            } catch (IOException e) {
                LOG.warn("How much the repository takes cannot be counted: {}", e.getMessage());
            } finally {
                until = ticker.nanoTime() + LIFETIME.toNanos();
                counting.set(false);
            }
        }
    }
}
