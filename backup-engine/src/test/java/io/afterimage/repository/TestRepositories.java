package io.afterimage.repository;

import io.afterimage.chunk.ChunkSize;
import io.afterimage.keys.Secret;
import io.afterimage.store.ObjectStore;
import java.io.IOException;
import java.security.SecureRandom;

/** Repositories of both kinds, for what must hold in either. */
public final class TestRepositories {

    private static final SecureRandom RANDOM = new SecureRandom();

    private TestRepositories() {}

    public static Repository create(ObjectStore store, boolean encrypted) throws IOException {
        return encrypted
                ? Repository.createEncrypted(store, ChunkSize.DEFAULT, newKey(), RANDOM)
                : Repository.create(store, ChunkSize.DEFAULT, RANDOM);
    }

    /** A key file's key, which costs no time to use. */
    public static Secret newKey() {
        return Secret.keyFile(Secret.newKeyFile(RANDOM));
    }
}
