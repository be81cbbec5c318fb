package io.afterimage.catalog;

import io.afterimage.catalog.CatalogException.Reason;
import io.afterimage.store.KeyPrefix;
import io.afterimage.store.ObjectInfo;
import io.afterimage.store.ObjectKey;
import io.afterimage.store.ObjectStore;
import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What tells other processes, on any hosts, what this one is at: an object below {@code leases/} that expires unless it is renewed, which a thread
 * of the lease does until {@link #close}. What a lease says never changes, but for its expiry, so that it does not matter if an old renewal
 * reaches the store late: who has something else to say takes another lease before giving back the first.
 *
 * <p>No store operation here is conditional, so a lease that one alone may hold is taken like this: write one's own, list all, and withdraw if
 * there is another that is held. Two who come at the same moment may both withdraw; never do both stay. Thread-safe.
 */
public abstract sealed class Lease implements Closeable permits BackupLease, GcLease, ReadLease {

    private static final Logger LOG = LoggerFactory.getLogger(Lease.class);

    final ObjectStore store;
    final InstantSource clock;
    final LeaseTerms terms;
    private final ObjectKey key;
    private final List<HeldPoint> points;
    private final Host holder;
    private final ScheduledExecutorService renewal =
            Executors.newSingleThreadScheduledExecutor(Thread.ofPlatform().daemon().name("lease").factory());
    private Instant expires = Instant.MAX;
    private volatile Instant asked = Instant.MAX;
    private volatile Duration storeAhead = Duration.ZERO;
    /** The most that it can have been, since a request takes its time; empty if it is not known. */
    private volatile Optional<Duration> mostAhead = Optional.empty();
    private volatile boolean left;

    /** @param folder where leases of this kind lie */
    Lease(ObjectStore store, InstantSource clock, LeaseTerms terms, List<HeldPoint> points, String... folder) throws IOException {
        this.store = store;
        this.clock = clock;
        this.terms = terms;
        this.points = List.copyOf(points);
        List<String> segments = new ArrayList<>(List.of(folder));
        segments.addFirst("leases");
        segments.add(UUID.randomUUID() + ".json");
        key = ObjectKey.of(segments.toArray(String[]::new));
        holder = Host.self();
    }

    /** What the lease allows, for sentences: "the right to …". */
    abstract String right();

    /** Keeps the lease, which has been written, from expiring. */
    final void attend() {
        long period = terms.life().toMillis() / 4;
        var _ = renewal.scheduleWithFixedDelay(this::renewOrWarn, period, period, TimeUnit.MILLISECONDS);
    }

    /** Throws, with the sentence, if someone else holds a lease in that folder; removes what is over there. */
    final void requireAlone(KeyPrefix folder, String sentence) throws IOException {
        List<ObjectInfo> listed = store.list(folder).toList();
        listed.stream().filter(each -> each.key().equals(key)).forEach(own -> compareClocks(own.lastModified()));
        for (ObjectInfo each : listed) {
            Optional<FoundLease> found = each.key().equals(key) ? Optional.empty() : FoundLease.read(store, each, storeAhead);
            if (found.isEmpty()) {
                continue;
            }
            FoundLease other = found.get();
            if (other.isHeld(clock.instant(), terms)) {
                throw new CatalogException(
                        Reason.BUSY,
                        sentence + ": wait for it to end (if its host died, its claim expires at "
                                + other.expires(terms) + ").");
            }
            if (other.isOver(clock.instant(), terms)) {
                store.delete(other.key());
            }
        }
    }

    private void compareClocks(Instant stored) {
        storeAhead = Duration.between(clock.instant(), stored);
        mostAhead = Optional.of(Duration.between(asked, stored));
        if (storeAhead.abs().compareTo(LeaseTerms.CLOCKS) > 0) {
            LOG.warn(
                    "The clock of this host is {} minutes {} that of {}: set whichever is wrong, since points are named and kept by their time.",
                    storeAhead.abs().toMinutes(),
                    storeAhead.isNegative() ? "ahead of" : "behind",
                    store);
        }
    }

    /** How far the store's clock was ahead of this host's when the lease was taken; zero if that cannot be told. */
    public Duration storeAhead() {
        return storeAhead;
    }

    /**
     * Throws if this host has stood still, as a virtual machine that was paused does, for longer than others wait for it. Its own clock may know nothing of
     * that, so the store's is asked. To be called right after the lease was renewed.
     */
    final void requireSteadyClock() throws IOException {
        if (mostAhead.isEmpty()) {
            return;
        }
        for (ObjectInfo own : store.list(new KeyPrefix(key.value())).toList()) {
            Duration lost = Duration.between(clock.instant(), own.lastModified()).minus(mostAhead.get());
            if (lost.compareTo(terms.margin()) > 0) {
                synchronized (this) {
                    expires = Instant.MIN;
                }
                throw new CatalogException(
                        Reason.BUSY,
                        "This host has stood still for " + lost.toMinutes() + " minutes, or its clock was set back, while it had " + right()
                                + ", and others may have taken it for dead: run the command again.");
            }
        }
    }

    /** Throws unless the lease is still held: to be asked before what cannot be taken back. */
    public void check() throws CatalogException {
        checkThis();
    }

    private synchronized void checkThis() throws CatalogException {
        if (!clock.instant().isBefore(expires)) {
            // For good, whatever renewal comes through yet: others may have acted on it.
            expires = Instant.MIN;
            throw new CatalogException(
                    Reason.BUSY,
                    "The store could not be reached for so long that " + right() + " has expired: run the command again.");
        }
    }

    /** Makes the lease good for another {@link LeaseTerms#life}, unless it has expired: then it throws. Happens by itself, too. */
    public void renew() throws IOException {
        checkThis();
        asked = clock.instant();
        Instant next = asked.plus(terms.life());
        store.put(key, ByteBuffer.wrap(LeaseContent.of(next, holder, points).toJson()));
        synchronized (this) {
            checkThis();
            expires = next;
        }
    }

    /** Whether others may take the holder for dead, and what he protects for garbage. */
    public boolean isOver() {
        synchronized (this) {
            return expires.equals(Instant.MIN) || expires.isBefore(clock.instant().minus(terms.margin()));
        }
    }

    private void renewOrWarn() {
        try {
            renew();
        } catch (IOException | RuntimeException e) {
            LOG.warn("{} could not be renewed.", right(), e);
        }
    }

    /** Leaves the lease to expire when this is closed, since something that it protects may still come to pass. */
    void leave() {
        left = true;
    }

    /** Gives the lease back. When that fails it expires by itself. */
    @Override
    public void close() {
        renewal.shutdown();
        try {
            renewal.awaitTermination(terms.life().toMillis(), TimeUnit.MILLISECONDS);
            if (!left) {
                store.delete(key);
            }
        } catch (IOException e) {
            LOG.warn("{} could not be given back; it expires by itself.", right(), e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
