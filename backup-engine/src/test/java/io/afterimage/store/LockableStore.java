package io.afterimage.store;

import io.afterimage.store.StoreException.Outcome;
import java.nio.ByteBuffer;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/** A store in memory with object lock, as strict as any about what may be changed: what is overwritten or deleted under lock stays as a version of which no listing tells. */
public final class LockableStore implements ObjectStore {

    private static final String NAME = "lockable memory";

    private final InstantSource clock;
    private final MemoryObjectStore store;
    private final Map<ObjectKey, Retention> retentions = new HashMap<>();
    private final List<ObjectKey> hidden = new ArrayList<>();
    private final Map<ObjectKey, Runnable> beforeAsking = new ConcurrentHashMap<>();
    private final Map<ObjectKey, Runnable> beforeDeleting = new ConcurrentHashMap<>();
    private int retentionRequests;

    public LockableStore(InstantSource clock) {
        this.clock = clock;
        store = new MemoryObjectStore(clock, PAGE);
    }

    /** The keys of versions that were overwritten or deleted while they were locked. */
    public synchronized List<ObjectKey> hidden() {
        return List.copyOf(hidden);
    }

    /** How many times a retention was asked for or set by itself. */
    public synchronized int retentionRequests() {
        return retentionRequests;
    }

    /** Lets something else happen once, just before somebody next asks of the object's retention. */
    public void beforeAsking(ObjectKey key, Runnable event) {
        beforeAsking.put(key, event);
    }

    /** Lets something else happen once, just before the object is deleted. */
    public void beforeDeleting(ObjectKey key, Runnable event) {
        beforeDeleting.put(key, event);
    }

    private static void happen(Map<ObjectKey, Runnable> events, ObjectKey key) {
        Runnable event = events.remove(key);
        if (event != null) {
            event.run();
        }
    }

    private boolean isLocked(ObjectKey key) {
        return retentions.containsKey(key) && retentions.get(key).until().isAfter(clock.instant());
    }

    private synchronized void replace(ObjectKey key, Optional<Retention> retention) {
        if (isLocked(key)) {
            hidden.add(key);
        }
        retentions.remove(key);
        retention.ifPresent(held -> retentions.put(key, held));
    }

    @Override
    public synchronized void put(ObjectKey key, ByteBuffer... content) throws StoreException {
        store.put(key, content);
        replace(key, Optional.empty());
    }

    @Override
    public void get(ObjectKey key, long offset, ByteBuffer target) throws StoreException {
        store.get(key, offset, target);
    }

    @Override
    public byte[] getWhole(ObjectKey key, int maxBytes) throws StoreException {
        return store.getWhole(key, maxBytes);
    }

    @Override
    public ListPage list(KeyPrefix prefix, Optional<ObjectKey> after) throws StoreException {
        return store.list(prefix, after);
    }

    @Override
    public void delete(Collection<ObjectKey> keys) throws StoreException {
        keys.forEach(key -> happen(beforeDeleting, key));
        synchronized (this) {
            store.delete(keys);
            Set.copyOf(keys).forEach(key -> replace(key, Optional.empty()));
        }
    }

    @Override
    public Optional<ObjectLock> objectLock() {
        return Optional.of(new Lock());
    }

    @Override
    public void close() {}

    @Override
    public String toString() {
        return NAME;
    }

    private final class Lock implements ObjectLock {

        @Override
        public void put(ObjectKey key, Retention retention, ByteBuffer... content) throws StoreException {
            synchronized (LockableStore.this) {
                if (!retention.until().isAfter(clock.instant())) {
                    throw new StoreException(Operation.PUT, key.value(), NAME, Problem.REFUSED, Outcome.FATAL, null);
                }
                store.put(key, content);
                replace(key, Optional.of(retention));
            }
        }

        @Override
        public Optional<Retention> retention(ObjectKey key) throws StoreException {
            happen(beforeAsking, key);
            synchronized (LockableStore.this) {
                retentionRequests++;
                store.getWhole(key, Integer.MAX_VALUE);
                return Optional.ofNullable(retentions.get(key));
            }
        }

        @Override
        public void retain(ObjectKey key, Retention retention) throws StoreException {
            synchronized (LockableStore.this) {
                Instant now = clock.instant();
                Optional<Retention> present = retention(key).filter(held -> held.until().isAfter(now));
                if (present.filter(held -> held.until().isAfter(retention.until()) || held.mode() != retention.mode()).isPresent()) {
                    throw new StoreException(Operation.PUT, key.value(), NAME, Problem.ACCESS_DENIED, Outcome.FATAL, null);
                }
                retentions.put(key, retention);
            }
        }
    }
}
