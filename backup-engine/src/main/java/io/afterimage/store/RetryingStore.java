package io.afterimage.store;

import io.afterimage.store.StoreException.Outcome;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.time.Instant;
import java.util.Collection;
import java.util.Optional;
import java.util.random.RandomGenerator;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The one layer that asks again. Repeats what failed in a way that may pass, after a growing and jittered pause, until it works,
 * fails for good or the time is up; then the last failure is thrown. PUT and DELETE whose effect is unknown are repeated too: both are idempotent.
 * If any attempt's effect is unknown, the failure thrown in the end is {@link Outcome#AMBIGUOUS}, whatever the last attempt said.
 */
public final class RetryingStore implements ObjectStore {

    private static final Logger LOG = LoggerFactory.getLogger(RetryingStore.class);

    private final ObjectStore store;
    private final RetryPolicy policy;
    private final Ticker ticker;
    private final RandomGenerator random;

    /** @param random used by many threads at once */
    public RetryingStore(ObjectStore store, RetryPolicy policy, Ticker ticker, RandomGenerator random) {
        this.store = store;
        this.policy = policy;
        this.ticker = ticker;
        this.random = random;
    }

    private interface Attempt<T> {
        T run() throws StoreException;
    }

    private interface Change {
        void run() throws StoreException;
    }

    private void retry(Change change) throws StoreException {
        retry(() -> {
            change.run();
            return null;
        });
    }

    private <T> T retry(Attempt<T> attempt) throws StoreException {
        long begin = ticker.nanoTime();
        boolean ambiguous = false;
        for (int failures = 1; ; failures++) {
            try {
                return attempt.run();
            } catch (StoreException e) {
                ambiguous |= e.outcome() == Outcome.AMBIGUOUS;
                Duration pause = policy.pause(failures, random);
                boolean timeIsUp = ticker.nanoTime() - begin + pause.toNanos() > policy.timeLimit().toNanos();
                if (e.outcome() == Outcome.FATAL || timeIsUp || !sleep(pause)) {
                    throw ambiguous ? e.asAmbiguous() : e;
                }
                LOG.warn("Retrying after failure {}, {} ms later: {}", failures, pause.toMillis(), e.getMessage());
            }
        }
    }

    /** False, the interrupt flag set, if the pause was cut short. */
    private boolean sleep(Duration pause) {
        try {
            ticker.sleep(pause);
            return true;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        }
    }

    @Override
    public void put(ObjectKey key, ByteBuffer... content) throws StoreException {
        retry(() -> store.put(key, content));
    }

    @Override
    public void get(ObjectKey key, long offset, ByteBuffer target) throws StoreException {
        retry(() -> store.get(key, offset, target));
    }

    @Override
    public byte[] getWhole(ObjectKey key, int maxBytes) throws StoreException {
        return retry(() -> store.getWhole(key, maxBytes));
    }

    @Override
    public ListPage list(KeyPrefix prefix, Optional<ObjectKey> after) throws StoreException {
        return retry(() -> store.list(prefix, after));
    }

    @Override
    public Optional<ObjectInfo> first(KeyPrefix prefix) throws StoreException {
        return retry(() -> store.first(prefix));
    }

    @Override
    public void delete(Collection<ObjectKey> keys) throws StoreException {
        retry(() -> store.delete(keys));
    }

    @Override
    public void removeLeftovers(Instant before) throws StoreException {
        retry(() -> store.removeLeftovers(before));
    }

    @Override
    public Optional<ObjectLock> objectLock() throws StoreException {
        return this.<Optional<ObjectLock>>retry(store::objectLock).map(RetryingLock::new);
    }

    private final class RetryingLock implements ObjectLock {

        private final ObjectLock lock;

        RetryingLock(ObjectLock lock) {
            this.lock = lock;
        }

        @Override
        public void put(ObjectKey key, Retention retention, ByteBuffer... content) throws StoreException {
            retry(() -> lock.put(key, retention, content));
        }

        @Override
        public Optional<Retention> retention(ObjectKey key) throws StoreException {
            return retry(() -> lock.retention(key));
        }

        @Override
        public void retain(ObjectKey key, Retention retention) throws StoreException {
            retry(() -> lock.retain(key, retention));
        }
    }

    @Override
    public void close() throws StoreException {
        store.close();
    }

    @Override
    public String toString() {
        return store.toString();
    }
}
