package io.afterimage.catalog;

import io.afterimage.catalog.CatalogException.Reason;
import io.afterimage.store.KeyPrefix;
import io.afterimage.store.ObjectStore;
import java.io.IOException;
import java.time.InstantSource;
import java.util.List;

/** The right to collect garbage, held by one process at a time: {@code leases/gc/<uuid>.json}. */
public final class GcLease extends Lease {

    private static final String FOLDER = "gc";

    private GcLease(ObjectStore store, InstantSource clock, LeaseTerms terms) throws IOException {
        super(store, clock, terms, List.of(), FOLDER);
    }

    /** Takes the lease; a {@link CatalogException} of {@link Reason#BUSY} while another process collects garbage. */
    public static GcLease acquire(ObjectStore store, InstantSource clock, LeaseTerms terms) throws IOException {
        GcLease lease = new GcLease(store, clock, terms);
        try {
            lease.renew();
            lease.requireAlone(KeyPrefix.folder("leases", FOLDER), "Another garbage collection of this repository is running");
            lease.attend();
            return lease;
        } catch (IOException | RuntimeException | Error e) {
            lease.close();
            throw e;
        }
    }

    @Override
    String right() {
        return "the right to collect garbage";
    }
}
