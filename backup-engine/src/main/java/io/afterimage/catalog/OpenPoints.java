package io.afterimage.catalog;

import io.afterimage.store.ObjectStore;
import io.afterimage.store.Problem;
import io.afterimage.store.StoreException;
import java.io.Closeable;
import java.io.IOException;
import java.time.InstantSource;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The points that this process has open, told to garbage collection by one {@link ReadLease} at a time. The lease is written in the
 * background, since opening a point must not wait for it: gc never deletes what was in use a moment ago, unless its grace period is none.
 * A store that does not let itself be written to is read all the same, after one warning. Thread-safe.
 */
public final class OpenPoints implements Closeable {

    private static final Logger LOG = LoggerFactory.getLogger(OpenPoints.class);

    private final ObjectStore store;
    private final InstantSource clock;
    private final LeaseTerms terms;
    private final Map<HeldPoint, Integer> open = new HashMap<>();
    private final ExecutorService writer = Executors.newSingleThreadExecutor(Thread.ofPlatform().daemon().name("open-points").factory());
    private List<HeldPoint> told = List.of();
    private Optional<ReadLease> lease = Optional.empty();
    private boolean refused;

    public OpenPoints(ObjectStore store, InstantSource clock, LeaseTerms terms) {
        this.store = store;
        this.clock = clock;
        this.terms = terms;
    }

    /** One opening of a point, until it is closed, once. */
    public interface Opening extends Closeable {

        @Override
        void close();
    }

    /** Holds the point; as often as it is opened it must be closed. */
    public Opening open(Point point) {
        HeldPoint held = HeldPoint.of(point);
        change(held, 1);
        return () -> change(held, -1);
    }

    private void change(HeldPoint point, int count) {
        synchronized (open) {
            open.merge(point, count, Integer::sum);
            open.values().removeIf(openings -> openings == 0);
        }
        try {
            writer.execute(this::tell);
        } catch (RejectedExecutionException e) {
            LOG.debug("a point was closed after all of them were", e);
        }
    }

    /** Takes a lease that names what is open now, and only then gives back the one before. */
    private void tell() {
        List<HeldPoint> now;
        synchronized (open) {
            now = List.copyOf(open.keySet());
        }
        boolean same = told.containsAll(now) && now.containsAll(told);
        if (refused || same) {
            return;
        }
        try {
            Optional<ReadLease> next = now.isEmpty() ? Optional.empty() : Optional.of(ReadLease.acquire(store, clock, terms, now));
            lease.ifPresent(Lease::close);
            lease = next;
            told = now;
        } catch (IOException e) {
            refused = e instanceof StoreException failure
                    && (failure.problem() == Problem.ACCESS_DENIED || failure.problem() == Problem.READ_ONLY);
            LOG.warn("Garbage collection cannot be told which points are open here, and may delete them once they are forgotten.", e);
        }
    }

    /** Gives all points back. */
    @Override
    public void close() {
        synchronized (open) {
            open.clear();
        }
        writer.execute(this::tell);
        writer.close();
    }
}
