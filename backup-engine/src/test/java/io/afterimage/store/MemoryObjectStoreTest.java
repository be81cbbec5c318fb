package io.afterimage.store;

import java.time.InstantSource;

final class MemoryObjectStoreTest extends ObjectStoreContract {

    private final ObjectStore objects = new MemoryObjectStore(InstantSource.system(), 37);

    @Override
    protected ObjectStore open() {
        return objects;
    }

    /** Two clients of one heap are one store. */
    @Override
    protected ObjectStore openAnother() {
        return objects;
    }
}
