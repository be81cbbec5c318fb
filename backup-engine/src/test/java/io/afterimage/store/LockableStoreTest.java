package io.afterimage.store;

import java.time.InstantSource;

/** The contract of object lock on the one in memory that other tests build on. */
final class LockableStoreTest extends ObjectLockContract {

    private final LockableStore store = new LockableStore(InstantSource.system());

    @Override
    protected ObjectStore open() {
        return store;
    }

    @Override
    protected boolean isKept(ObjectKey key, byte[] content) {
        return store.hidden().contains(key);
    }
}
