package io.afterimage.catalog;

import io.afterimage.store.ObjectStore;
import java.io.IOException;
import java.time.InstantSource;
import java.util.List;

/** Says which points a process has open, so that gc leaves what they need though they be forgotten: {@code leases/read/<uuid>.json}. */
public final class ReadLease extends Lease {

    private ReadLease(ObjectStore store, InstantSource clock, LeaseTerms terms, List<HeldPoint> points) throws IOException {
        super(store, clock, terms, points, "read");
    }

    /** Holds the points from when it returns until {@link #close}. Any number of processes may hold one point. */
    public static ReadLease acquire(ObjectStore store, InstantSource clock, LeaseTerms terms, List<HeldPoint> points)
            throws IOException {
        ReadLease lease = unattended(store, clock, terms, points);
        lease.attend();
        return lease;
    }

    /** The same, and somebody else sees to its renewal. */
    static ReadLease unattended(ObjectStore store, InstantSource clock, LeaseTerms terms, List<HeldPoint> points)
            throws IOException {
        ReadLease lease = new ReadLease(store, clock, terms, points);
        try {
            lease.renew();
            return lease;
        } catch (IOException | RuntimeException | Error e) {
            lease.close();
            throw e;
        }
    }

    @Override
    String right() {
        return "the hold on points that are open";
    }
}
