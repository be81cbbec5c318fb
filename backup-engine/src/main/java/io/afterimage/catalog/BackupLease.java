package io.afterimage.catalog;

import io.afterimage.catalog.CatalogException.Reason;
import io.afterimage.manifest.MachineName;
import io.afterimage.store.KeyPrefix;
import io.afterimage.store.Listing;
import io.afterimage.store.ObjectKey;
import io.afterimage.store.ObjectNotFoundException;
import io.afterimage.store.ObjectStore;
import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.UUID;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.json.JsonMapper;

/**
 * The right to back up one machine, held by one process at a time: an object below {@code leases/backup/<machine>/} that
 * expires unless it is renewed, which a thread of the lease does until {@link #close}.
 *
 * <p>No store operation here is conditional, so a lease is taken like this: write one's own, list all, and withdraw if there
 * is another that lives. Two who come at the same moment may both withdraw; never do both stay. A lease of a dead
 * process of this host, or one that has expired, does not count and is removed.
 */
public final class BackupLease implements Closeable {

    private static final Logger LOG = LoggerFactory.getLogger(BackupLease.class);
    private static final Duration LIFE = Duration.ofMinutes(2);
    private static final int LARGEST = 64 * 1024;
    private static final JsonMapper JSON = new JsonMapper();

    private final ObjectStore store;
    private final InstantSource clock;
    private final MachineName machine;
    private final ObjectKey key;
    private final Host holder;
    private final ScheduledExecutorService renewal =
            Executors.newSingleThreadScheduledExecutor(Thread.ofPlatform().daemon().name("lease").factory());
    private volatile Instant expires;

    private record Content(int format, String machine, Instant expires, Host holder) {}

    private BackupLease(ObjectStore store, InstantSource clock, MachineName machine) throws IOException {
        this.store = store;
        this.clock = clock;
        this.machine = machine;
        key = ObjectKey.of("leases", "backup", machine.text(), UUID.randomUUID() + ".json");
        holder = Host.self();
    }

    /** Takes the lease; a {@link CatalogException} of {@link Reason#BUSY} while another process backs up the machine. */
    public static BackupLease acquire(ObjectStore store, InstantSource clock, MachineName machine) throws IOException {
        BackupLease lease = new BackupLease(store, clock, machine);
        lease.renew();
        try {
            lease.requireAlone();
        } catch (IOException | RuntimeException e) {
            lease.close();
            throw e;
        }
        long period = LIFE.toMillis() / 4;
        var _ = lease.renewal.scheduleWithFixedDelay(lease::renewOrWarn, period, period, TimeUnit.MILLISECONDS);
        return lease;
    }

    /** Throws unless the lease is still held: to be asked before a commit. */
    public void check() throws CatalogException {
        if (!clock.instant().isBefore(expires)) {
            throw new CatalogException(
                    Reason.BUSY,
                    "The store could not be reached for so long that the right to back up '" + machine
                            + "' has expired: run the backup again.");
        }
    }

    private void requireAlone() throws IOException {
        Listing leases = store.list(KeyPrefix.folder("leases", "backup", machine.text()));
        while (leases.hasNext()) {
            ObjectKey other = leases.next().key();
            if (other.equals(key)) {
                continue;
            }
            Content content = read(other);
            if (content == null) {
                continue;
            }
            if (content.expires.isAfter(clock.instant()) && !content.holder.isDead()) {
                throw new CatalogException(
                        Reason.BUSY,
                        "Another backup of '" + machine + "' is running: wait for it to end (if its host died, its claim expires at "
                                + content.expires + ").");
            }
            store.delete(other);
        }
    }

    /** What a lease says; null for one that has just been given back, or that nobody can have meant. */
    private Content read(ObjectKey lease) throws IOException {
        try {
            Content content = JSON.readValue(store.getWhole(lease, LARGEST), Content.class);
            return content.expires == null || content.holder == null ? null : content;
        } catch (ObjectNotFoundException e) {
            return null;
        } catch (JacksonException e) {
            LOG.warn("The lease {} is damaged and does not count.", lease, e);
            return null;
        }
    }

    private void renew() throws IOException {
        Instant next = clock.instant().plus(LIFE);
        store.put(key, ByteBuffer.wrap(JSON.writeValueAsBytes(new Content(1, machine.text(), next, holder))));
        expires = next;
    }

    private void renewOrWarn() {
        try {
            renew();
        } catch (IOException | RuntimeException e) {
            LOG.warn("The lease on '{}' could not be renewed; it expires at {}.", machine, expires, e);
        }
    }

    /** Gives the lease back. When that fails it expires by itself. */
    @Override
    public void close() {
        renewal.shutdown();
        try {
            renewal.awaitTermination(LIFE.toMillis(), TimeUnit.MILLISECONDS);
            store.delete(key);
        } catch (IOException e) {
            LOG.warn("The lease on '{}' could not be given back; it expires at {}.", machine, expires, e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
