package io.afterimage.store;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.afterimage.store.StoreException.Outcome;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.Queue;
import java.util.Random;
import org.junit.jupiter.api.Test;

final class RetryingStoreTest {

    private static final ObjectKey KEY = new ObjectKey("a/b");
    private static final RetryPolicy POLICY = new RetryPolicy(Duration.ofMillis(100), Duration.ofSeconds(2), Duration.ofSeconds(10));

    private final MemoryObjectStore memory = new MemoryObjectStore();
    private final ScriptedStore scripted = new ScriptedStore(memory);
    private final SimulatedTicker ticker = new SimulatedTicker();
    private final RetryingStore store = new RetryingStore(scripted, POLICY, ticker, new Random(1));

    @Test
    void whatMayPassIsRetried() throws StoreException {
        scripted.fail(Outcome.TRANSIENT, Outcome.AMBIGUOUS, Outcome.TRANSIENT);
        store.put(KEY, ByteBuffer.wrap(new byte[] {1, 2, 3}));
        assertEquals(4, scripted.requests);
        assertArrayEquals(new byte[] {1, 2, 3}, memory.getWhole(KEY, 3));
        scripted.fail(Outcome.TRANSIENT);
        ByteBuffer target = ByteBuffer.allocate(2);
        store.get(KEY, 1, target);
        assertArrayEquals(new byte[] {2, 3}, target.array());
        scripted.fail(Outcome.TRANSIENT);
        assertEquals(3, store.getWhole(KEY, 3).length);
        scripted.fail(Outcome.TRANSIENT);
        assertEquals(1, store.list(KeyPrefix.ALL).toList().size());
        scripted.fail(Outcome.AMBIGUOUS);
        store.delete(KEY);
        assertEquals(List.of(), store.list(KeyPrefix.ALL).toList());
    }

    @Test
    void whatIsFinalIsNotRetried() {
        assertThrows(ObjectNotFoundException.class, () -> store.getWhole(KEY, 1));
        scripted.fail(Outcome.FATAL);
        assertThrows(StoreException.class, () -> store.delete(KEY));
        assertEquals(2, scripted.requests);
        assertEquals(List.of(), ticker.pauses);
    }

    @Test
    void pausesGrowAndVaryUntilTheTimeIsUp() {
        scripted.failForever(Outcome.TRANSIENT);
        StoreException e = assertThrows(StoreException.class, () -> store.list(KeyPrefix.ALL).hasNext());
        assertEquals(Outcome.TRANSIENT, e.outcome());
        assertTrue(ticker.nanoTime() <= POLICY.timeLimit().toNanos());
        assertTrue(ticker.pauses.size() >= 8, ticker.pauses::toString);
        for (int i = 0; i < ticker.pauses.size(); i++) {
            Duration full = Duration.ofMillis(Math.min(2000, 100L << i));
            Duration pause = ticker.pauses.get(i);
            assertTrue(pause.compareTo(full) <= 0 && pause.compareTo(full.dividedBy(2)) >= 0, ticker.pauses::toString);
        }
        assertEquals(ticker.pauses.size(), ticker.pauses.stream().distinct().count());
    }

    @Test
    void anAttemptThatMayHaveWorkedIsNotForgotten() {
        scripted.fail(Outcome.AMBIGUOUS, Outcome.TRANSIENT, Outcome.FATAL);
        StoreException e = assertThrows(StoreException.class, () -> store.put(KEY, ByteBuffer.allocate(1)));
        assertEquals(Outcome.AMBIGUOUS, e.outcome());
        assertEquals(Outcome.FATAL, ((StoreException) e.getCause()).outcome());
    }

    @Test
    void anInterruptionEndsThePause() {
        scripted.failForever(Outcome.TRANSIENT);
        ticker.interrupt = true;
        assertThrows(StoreException.class, () -> store.getWhole(KEY, 1));
        assertTrue(Thread.interrupted());
        assertEquals(1, scripted.requests);
    }

    @Test
    void longPoliciesDoNotOverflow() {
        RetryPolicy policy = new RetryPolicy(Duration.ofNanos(1), Duration.ofDays(30), Duration.ofDays(365));
        assertTrue(policy.pause(1_000_000, new Random(2)).isPositive());
        assertTrue(RetryPolicy.DEFAULT.pause(1000, new Random(2)).compareTo(Duration.ofSeconds(10)) <= 0);
    }

    private static final class SimulatedTicker implements Ticker {

        private final List<Duration> pauses = new ArrayList<>();
        private long now;
        private boolean interrupt;

        @Override
        public long nanoTime() {
            return now;
        }

        @Override
        public void sleep(Duration pause) throws InterruptedException {
            if (interrupt) {
                throw new InterruptedException();
            }
            pauses.add(pause);
            now += pause.toNanos();
        }
    }

    /** Fails as told, then does what it is asked. */
    private static final class ScriptedStore implements ObjectStore {

        private final ObjectStore store;
        private final Queue<Outcome> failures = new ArrayDeque<>();
        private Optional<Outcome> always = Optional.empty();
        private int requests;

        ScriptedStore(ObjectStore store) {
            this.store = store;
        }

        void fail(Outcome... outcomes) {
            failures.addAll(List.of(outcomes));
        }

        void failForever(Outcome outcome) {
            always = Optional.of(outcome);
        }

        private void request(Operation operation) throws StoreException {
            requests++;
            Outcome outcome = failures.isEmpty() ? always.orElse(null) : failures.remove();
            if (outcome != null) {
                throw new StoreException(operation, "x", "script", Problem.BUSY, outcome, null);
            }
        }

        @Override
        public void put(ObjectKey key, ByteBuffer... content) throws StoreException {
            request(Operation.PUT);
            store.put(key, content);
        }

        @Override
        public void get(ObjectKey key, long offset, ByteBuffer target) throws StoreException {
            request(Operation.GET);
            store.get(key, offset, target);
        }

        @Override
        public byte[] getWhole(ObjectKey key, int maxBytes) throws StoreException {
            request(Operation.GET);
            return store.getWhole(key, maxBytes);
        }

        @Override
        public ListPage list(KeyPrefix prefix, Optional<ObjectKey> after) throws StoreException {
            request(Operation.LIST);
            return store.list(prefix, after);
        }

        @Override
        public void delete(Collection<ObjectKey> keys) throws StoreException {
            request(Operation.DELETE);
            store.delete(keys);
        }

        @Override
        public void removeLeftovers(Instant before) throws StoreException {
            store.removeLeftovers(before);
        }

        @Override
        public void close() throws StoreException {
            store.close();
        }
    }
}
