package io.afterimage.store;

import io.afterimage.store.StoreException.Outcome;
import java.nio.ByteBuffer;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Spoils requests to a store by a seeded dice, and ends the life of its user between any two of them. One thread gets
 * the same faults from the same seed; several get them in any order.
 */
public final class FaultyStore implements ObjectStore {

    /**
     * How often, from 0 to 1, something happens to a request.
     *
     * @param refused it fails and has no effect; a GET leaves nonsense in its buffer
     * @param lost    it takes effect, of a DELETE of many perhaps in part, and fails all the same
     * @param altered a GET succeeds with one bit of its bytes another
     */
    public record Rates(double refused, double lost, double altered) {

        public static final Rates NONE = new Rates(0, 0, 0);
    }

    /** The process that used the store is dead; no test may catch this but the one that planned it. */
    public static final class SimulatedCrash extends Error {

        private static final long serialVersionUID = 1;
    }

    private final ObjectStore store;
    private final Random random;
    private final Rates rates;
    private final AtomicLong requests = new AtomicLong();
    private volatile long crashAt = Long.MAX_VALUE;

    public FaultyStore(ObjectStore store, long seed, Rates rates) {
        this.store = store;
        this.random = new Random(seed);
        this.rates = rates;
    }

    /** The requests made so far, spoilt ones included. */
    public long requests() {
        return requests.get();
    }

    /** Lets {@code count} more requests through; the next and all that follow throw {@link SimulatedCrash}, the next perhaps having taken effect. */
    public void crashAfter(long count) {
        crashAt = requests.get() + count;
    }

    private interface Request<T> {
        T run() throws StoreException;
    }

    /** @param half what a lost request may have done instead of the whole */
    private <T> T spoil(Operation operation, String subject, Request<T> whole, Request<?> half) throws StoreException {
        long number = requests.getAndIncrement();
        if (number > crashAt) {
            throw new SimulatedCrash();
        }
        if (number == crashAt) {
            boolean done = random.nextBoolean();
            if (done) {
                (random.nextBoolean() ? whole : half).run();
            }
            throw new SimulatedCrash();
        }
        double dice = random.nextDouble();
        if (dice < rates.refused()) {
            Problem problem = List.of(Problem.BUSY, Problem.UNREACHABLE, Problem.TIMED_OUT).get(random.nextInt(3));
            throw new StoreException(operation, subject, toString(), problem, Outcome.TRANSIENT, null);
        }
        if (dice < rates.refused() + rates.lost()) {
            (random.nextBoolean() ? whole : half).run();
            Problem problem = List.of(Problem.BUSY, Problem.BAD_REPLY, Problem.TIMED_OUT).get(random.nextInt(3));
            throw new StoreException(operation, subject, toString(), problem, operation.changes() ? Outcome.AMBIGUOUS : Outcome.TRANSIENT, null);
        }
        return whole.run();
    }

    private <T> T spoil(Operation operation, String subject, Request<T> whole) throws StoreException {
        return spoil(operation, subject, whole, whole);
    }

    private void alter(ByteBuffer bytes) {
        if (bytes.hasRemaining() && random.nextDouble() < rates.altered()) {
            int at = bytes.position() + random.nextInt(bytes.remaining());
            bytes.put(at, (byte) (bytes.get(at) ^ 1 << random.nextInt(8)));
        }
    }

    @Override
    public void put(ObjectKey key, ByteBuffer... content) throws StoreException {
        spoil(Operation.PUT, key.value(), () -> {
            store.put(key, content);
            return null;
        });
    }

    @Override
    public void get(ObjectKey key, long offset, ByteBuffer target) throws StoreException {
        int begin = target.position();
        ByteBuffer view = target.duplicate();
        try {
            spoil(Operation.GET, key.value(), () -> {
                store.get(key, offset, view);
                return null;
            });
        } catch (StoreException e) {
            byte[] nonsense = new byte[target.remaining()];
            random.nextBytes(nonsense);
            target.duplicate().put(nonsense);
            throw e;
        }
        alter(view.flip().position(begin));
        target.position(target.limit());
    }

    @Override
    public byte[] getWhole(ObjectKey key, int maxBytes) throws StoreException {
        byte[] content = spoil(Operation.GET, key.value(), () -> store.getWhole(key, maxBytes));
        alter(ByteBuffer.wrap(content));
        return content;
    }

    @Override
    public ListPage list(KeyPrefix prefix, Optional<ObjectKey> after) throws StoreException {
        return spoil(Operation.LIST, prefix.value(), () -> store.list(prefix, after));
    }

    @Override
    public Optional<ObjectInfo> first(KeyPrefix prefix) throws StoreException {
        return spoil(Operation.LIST, prefix.value(), () -> store.first(prefix));
    }

    @Override
    public void delete(Collection<ObjectKey> keys) throws StoreException {
        ObjectStore.checkDeletable(keys);
        List<ObjectKey> some = new ArrayList<>(keys);
        some.removeIf(_ -> random.nextBoolean());
        spoil(Operation.DELETE, "", () -> {
            store.delete(keys);
            return null;
        }, () -> {
            store.delete(some);
            return null;
        });
    }

    @Override
    public void removeLeftovers(Instant before) throws StoreException {
        store.removeLeftovers(before);
    }

    /** Spoilt as others are. */
    @Override
    public Optional<ObjectLock> objectLock() throws StoreException {
        return store.objectLock().map(lock -> new ObjectLock() {
            @Override
            public void put(ObjectKey key, Retention retention, ByteBuffer... content) throws StoreException {
                spoil(Operation.PUT, key.value(), () -> {
                    lock.put(key, retention, content);
                    return null;
                });
            }

            @Override
            public Optional<Retention> retention(ObjectKey key) throws StoreException {
                return spoil(Operation.GET, key.value(), () -> lock.retention(key));
            }

            @Override
            public void retain(ObjectKey key, Retention retention) throws StoreException {
                spoil(Operation.PUT, key.value(), () -> {
                    lock.retain(key, retention);
                    return null;
                });
            }
        });
    }

    @Override
    public void close() throws StoreException {
        store.close();
    }

    @Override
    public String toString() {
        return "faulty " + store;
    }
}
