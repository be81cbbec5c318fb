package io.afterimage.maintenance;

import io.afterimage.catalog.GcLease;
import io.afterimage.repository.Condemnation;
import io.afterimage.repository.Move;
import io.afterimage.repository.Moves;
import io.afterimage.store.ObjectKey;
import io.afterimage.store.ObjectStore;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Optional;

/**
 * What a pass does to the store, as long as it holds the lease.
 *
 * @param lease none in a dry run, which does nothing
 */
record Changes(ObjectStore store, Optional<GcLease> lease) {

    /** Whether nothing is done. */
    boolean isDry() {
        return lease.isEmpty();
    }

    /** How far the store's clock is ahead of this host's, as far as is known: nobody asks it in a dry run. */
    Duration storeAhead() {
        return lease.map(GcLease::storeAhead).orElse(Duration.ZERO);
    }

    private boolean mayChange() throws IOException {
        if (lease.isPresent()) {
            lease.get().check();
        }
        return lease.isPresent();
    }

    void put(Condemnation condemnation) throws IOException {
        if (mayChange()) {
            condemnation.put(store);
        }
    }

    void put(ObjectKey key, ByteBuffer content) throws IOException {
        if (mayChange()) {
            store.put(key, content);
        }
    }

    void put(Moves moves, List<Move> added) throws IOException {
        if (mayChange()) {
            moves.put(added);
        }
    }

    /** When it returns all of them are gone. */
    void delete(Collection<ObjectKey> keys) throws IOException {
        List<ObjectKey> ordered = new ArrayList<>(keys);
        ordered.sort(ObjectKey::compareTo);
        for (int i = 0; i < ordered.size(); i += ObjectStore.PAGE) {
            if (mayChange()) {
                store.delete(ordered.subList(i, Math.min(i + ObjectStore.PAGE, ordered.size())));
            }
        }
    }
}
