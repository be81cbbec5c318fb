package io.afterimage.store;

import java.nio.ByteBuffer;
import java.time.Instant;
import java.util.Collection;
import java.util.EnumMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.LongAdder;

/**
 * Counts requests and bytes on their way to a store. Outside a {@link RetryingStore} it counts what a task asked for, inside of it
 * what the store had to answer.
 */
public final class CountingStore implements ObjectStore {

    private final ObjectStore store;
    private final Map<Operation, Counter> counters = new EnumMap<>(Operation.class);

    private record Counter(LongAdder requests, LongAdder failures, LongAdder bytes) {}

    public CountingStore(ObjectStore store) {
        this.store = store;
        for (Operation operation : Operation.values()) {
            counters.put(operation, new Counter(new LongAdder(), new LongAdder(), new LongAdder()));
        }
    }

    /** What was asked so far; requests under way may be counted in part. */
    public StoreStatistics statistics() {
        Map<Operation, StoreStatistics.Tally> tallies = new EnumMap<>(Operation.class);
        counters.forEach((operation, counter) -> tallies.put(
                operation, new StoreStatistics.Tally(counter.requests().sum(), counter.failures().sum(), counter.bytes().sum())));
        return new StoreStatistics(tallies);
    }

    private interface Request<T> {
        T run() throws StoreException;
    }

    private <T> T count(Operation operation, Request<T> request) throws StoreException {
        counters.get(operation).requests().increment();
        try {
            return request.run();
        } catch (StoreException e) {
            counters.get(operation).failures().increment();
            throw e;
        }
    }

    private void addBytes(Operation operation, long bytes) {
        counters.get(operation).bytes().add(bytes);
    }

    @Override
    public void put(ObjectKey key, ByteBuffer... content) throws StoreException {
        count(Operation.PUT, () -> {
            store.put(key, content);
            for (ByteBuffer part : content) {
                addBytes(Operation.PUT, part.remaining());
            }
            return null;
        });
    }

    @Override
    public void get(ObjectKey key, long offset, ByteBuffer target) throws StoreException {
        int length = target.remaining();
        count(Operation.GET, () -> {
            store.get(key, offset, target);
            addBytes(Operation.GET, length);
            return null;
        });
    }

    @Override
    public byte[] getWhole(ObjectKey key, int maxBytes) throws StoreException {
        return count(Operation.GET, () -> {
            byte[] content = store.getWhole(key, maxBytes);
            addBytes(Operation.GET, content.length);
            return content;
        });
    }

    @Override
    public ListPage list(KeyPrefix prefix, Optional<ObjectKey> after) throws StoreException {
        return count(Operation.LIST, () -> store.list(prefix, after));
    }

    @Override
    public Optional<ObjectInfo> first(KeyPrefix prefix) throws StoreException {
        return count(Operation.LIST, () -> store.first(prefix));
    }

    @Override
    public void delete(Collection<ObjectKey> keys) throws StoreException {
        count(Operation.DELETE, () -> {
            store.delete(keys);
            return null;
        });
    }

    /** Passed on uncounted: how many requests it takes is the store's own affair. */
    @Override
    public void removeLeftovers(Instant before) throws StoreException {
        store.removeLeftovers(before);
    }

    /** Passed on uncounted, since it costs nothing where there is no such thing. */
    @Override
    public Optional<ObjectLock> objectLock() throws StoreException {
        return store.objectLock().map(CountingLock::new);
    }

    /** Asking for a retention counts as a GET, setting it as a PUT of no bytes. */
    private final class CountingLock implements ObjectLock {

        private final ObjectLock lock;

        CountingLock(ObjectLock lock) {
            this.lock = lock;
        }

        @Override
        public void put(ObjectKey key, Retention retention, ByteBuffer... content) throws StoreException {
            count(Operation.PUT, () -> {
                lock.put(key, retention, content);
                for (ByteBuffer part : content) {
                    addBytes(Operation.PUT, part.remaining());
                }
                return null;
            });
        }

        @Override
        public Optional<Retention> retention(ObjectKey key) throws StoreException {
            return count(Operation.GET, () -> lock.retention(key));
        }

        @Override
        public void retain(ObjectKey key, Retention retention) throws StoreException {
            count(Operation.PUT, () -> {
                lock.retain(key, retention);
                return null;
            });
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
