package io.afterimage.catalog;

import io.afterimage.catalog.CatalogException.Reason;
import io.afterimage.manifest.MachineName;
import io.afterimage.store.KeyPrefix;
import io.afterimage.store.ObjectStore;
import java.io.IOException;
import java.time.InstantSource;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;

/**
 * The right to back up one machine, held by one process at a time: {@code leases/backup/<machine>/<uuid>.json}. Packs that gc has condemned
 * are not deleted while a backup runs that began before they were.
 */
public final class BackupLease extends Lease {

    private static final String FOLDER = "backup";

    private final MachineName machine;
    private final List<ReadLease> parents = new CopyOnWriteArrayList<>();

    private BackupLease(ObjectStore store, InstantSource clock, LeaseTerms terms, MachineName machine) throws IOException {
        super(store, clock, terms, List.of(), FOLDER, machine.text());
        this.machine = machine;
    }

    /** Takes the lease; a {@link CatalogException} of {@link Reason#BUSY} while another process backs up the machine. */
    public static BackupLease acquire(ObjectStore store, InstantSource clock, MachineName machine) throws IOException {
        return acquire(store, clock, LeaseTerms.DEFAULT, machine);
    }

    /** The same, on other terms than those that all programs have in common. */
    public static BackupLease acquire(ObjectStore store, InstantSource clock, LeaseTerms terms, MachineName machine)
            throws IOException {
        BackupLease lease = new BackupLease(store, clock, terms, machine);
        try {
            lease.renew();
            lease.requireAlone(
                    KeyPrefix.folder("leases", FOLDER, machine.text()), "Another backup of '" + machine + "' is running");
            lease.attend();
            return lease;
        } catch (IOException | RuntimeException | Error e) {
            lease.close();
            throw e;
        }
    }

    public MachineName machine() {
        return machine;
    }

    /**
     * Keeps all that the point's manifest names from garbage collection as long as this lease lives, and longer if this backup's end is
     * unknown. Answers false, and keeps nothing, if the point is not there any more: then nothing may be built on it.
     */
    public boolean hold(Point point, Catalog catalog) throws IOException {
        ReadLease held = ReadLease.unattended(store, clock, terms, List.of(HeldPoint.of(point)));
        parents.add(held);
        // Only now: a point that is there after the lease is will be seen by gc, by the one or by the other.
        return catalog.isThere(point.machine(), point.id());
    }

    @Override
    public void check() throws CatalogException {
        super.check();
        for (ReadLease parent : parents) {
            parent.check();
        }
    }

    /** Throws unless the lease is held, and was all the time, by the store's clock too: to be asked before the point is committed. */
    public void confirm() throws IOException {
        super.renew();
        requireSteadyClock();
        check();
    }

    @Override
    public void renew() throws IOException {
        super.renew();
        for (ReadLease parent : parents) {
            parent.renew();
        }
    }

    @Override
    public boolean isOver() {
        return super.isOver() || parents.stream().anyMatch(Lease::isOver);
    }

    @Override
    String right() {
        return "the right to back up '" + machine + "'";
    }

    /** To be called when the descriptor may reach the store yet, though nobody knows: what it needs is kept until that cannot be. */
    @Override
    public void leave() {
        parents.forEach(Lease::leave);
        super.leave();
    }

    @Override
    public void close() {
        try {
            parents.forEach(Lease::close);
        } finally {
            super.close();
        }
    }
}
