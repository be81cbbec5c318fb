package io.afterimage.store;

import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.Optional;

/** The objects below a prefix in the order of their keys, one page in memory at a time. For one thread. */
public final class Listing {

    private final ObjectStore store;
    private final KeyPrefix prefix;
    private Optional<ObjectKey> after;
    private Iterator<ObjectInfo> page = List.<ObjectInfo>of().iterator();
    private boolean last;

    Listing(ObjectStore store, KeyPrefix prefix, Optional<ObjectKey> after) {
        this.store = store;
        this.prefix = prefix;
        this.after = after;
    }

    /** Whether another object follows; may ask the store for the next page. After a failure it may be called again. */
    public boolean hasNext() throws StoreException {
        if (!page.hasNext() && !last) {
            ListPage next = store.list(prefix, after);
            page = next.objects().iterator();
            last = next.last();
        }
        return page.hasNext();
    }

    /** The next object; {@link NoSuchElementException} if there is none. */
    public ObjectInfo next() throws StoreException {
        if (!hasNext()) {
            throw new NoSuchElementException();
        }
        ObjectInfo object = page.next();
        after = Optional.of(object.key());
        return object;
    }

    /** All that remain, for listings known to be short. */
    public List<ObjectInfo> toList() throws StoreException {
        List<ObjectInfo> objects = new ArrayList<>();
        while (hasNext()) {
            objects.add(next());
        }
        return objects;
    }
}
