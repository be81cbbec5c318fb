package io.afterimage.fuse.tree;

import io.afterimage.store.KeyPrefix;
import io.afterimage.store.ListPage;
import io.afterimage.store.ObjectKey;
import io.afterimage.store.ObjectStore;
import io.afterimage.store.Operation;
import io.afterimage.store.Problem;
import io.afterimage.store.StoreException;
import java.nio.ByteBuffer;
import java.time.Instant;
import java.util.Collection;
import java.util.Optional;

/** A store whose network cable can be pulled: it cannot be reached then, and that is known at once. */
public final class UnpluggedStore implements ObjectStore {

    private final ObjectStore store;
    private volatile boolean plugged = true;

    public UnpluggedStore(ObjectStore store) {
        this.store = store;
    }

    public void plug(boolean in) {
        plugged = in;
    }

    private ObjectStore reach(Operation operation, Object subject) throws StoreException {
        if (!plugged) {
            throw new StoreException(operation, subject.toString(), toString(), Problem.UNREACHABLE, StoreException.Outcome.TRANSIENT, null);
        }
        return store;
    }

    @Override
    public void put(ObjectKey key, ByteBuffer... content) throws StoreException {
        reach(Operation.PUT, key).put(key, content);
    }

    @Override
    public void get(ObjectKey key, long offset, ByteBuffer target) throws StoreException {
        reach(Operation.GET, key).get(key, offset, target);
    }

    @Override
    public byte[] getWhole(ObjectKey key, int maxBytes) throws StoreException {
        return reach(Operation.GET, key).getWhole(key, maxBytes);
    }

    @Override
    public ListPage list(KeyPrefix prefix, Optional<ObjectKey> after) throws StoreException {
        return reach(Operation.LIST, prefix).list(prefix, after);
    }

    @Override
    public void delete(Collection<ObjectKey> keys) throws StoreException {
        reach(Operation.DELETE, keys).delete(keys);
    }

    @Override
    public void removeLeftovers(Instant before) throws StoreException {
        store.removeLeftovers(before);
    }

    @Override
    public void close() throws StoreException {
        store.close();
    }

    @Override
    public String toString() {
        return "a store that may be unplugged";
    }
}
