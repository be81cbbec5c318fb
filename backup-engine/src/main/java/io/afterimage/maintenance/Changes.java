package io.afterimage.maintenance;

import io.afterimage.catalog.GcLease;
import io.afterimage.repository.Condemnation;
import io.afterimage.store.ObjectKey;
import io.afterimage.store.ObjectStore;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;

/** What a pass does to the store. */
interface Changes {

    /** A dry run's. */
    Changes NONE = new Changes() {
        @Override
        public void put(Condemnation condemnation) {}

        @Override
        public void delete(Collection<ObjectKey> keys) {}
    };

    void put(Condemnation condemnation) throws IOException;

    /** When it returns all of them are gone. */
    void delete(Collection<ObjectKey> keys) throws IOException;

    /** Made as long as the lease is held. */
    record Made(ObjectStore store, GcLease lease) implements Changes {

        @Override
        public void put(Condemnation condemnation) throws IOException {
            lease.check();
            condemnation.put(store);
        }

        @Override
        public void delete(Collection<ObjectKey> keys) throws IOException {
            List<ObjectKey> ordered = new ArrayList<>(keys);
            ordered.sort(ObjectKey::compareTo);
            for (int i = 0; i < ordered.size(); i += ObjectStore.PAGE) {
                lease.check();
                store.delete(ordered.subList(i, Math.min(i + ObjectStore.PAGE, ordered.size())));
            }
        }
    }
}
