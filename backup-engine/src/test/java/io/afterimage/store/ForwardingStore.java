package io.afterimage.store;

import java.nio.ByteBuffer;
import java.util.Collection;
import java.util.Optional;

/**
 * A store that passes everything on to another one, for tests that change one thing about it. It has no object lock, and what is below stays open: whoever
 * made it closes it. As thread-safe as the store below.
 */
public abstract class ForwardingStore implements ObjectStore {

    private final ObjectStore store;

    protected ForwardingStore(ObjectStore store) {
        this.store = store;
    }

    @Override
    public void put(ObjectKey key, ByteBuffer... content) throws StoreException {
        store.put(key, content);
    }

    @Override
    public void get(ObjectKey key, long offset, ByteBuffer target) throws StoreException {
        store.get(key, offset, target);
    }

    @Override
    public byte[] getWhole(ObjectKey key, int maxBytes) throws StoreException {
        return store.getWhole(key, maxBytes);
    }

    @Override
    public ListPage list(KeyPrefix prefix, Optional<ObjectKey> after) throws StoreException {
        return store.list(prefix, after);
    }

    @Override
    public void delete(Collection<ObjectKey> keys) throws StoreException {
        store.delete(keys);
    }

    @Override
    public void close() throws StoreException {}

    @Override
    public String toString() {
        return store.toString();
    }
}
