package io.afterimage.store.s3;

import static org.junit.jupiter.api.Assertions.assertTrue;

import io.afterimage.store.ObjectStore;
import java.io.IOException;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** The contract on Ceph's S3 API, in a plain bucket. */
final class CephStoreIT extends S3StoreContract {

    private static CephServer ceph;

    CephStoreIT() {
        super(ceph);
    }

    @BeforeAll
    static void startServer() throws IOException, InterruptedException {
        ceph = CephServer.start();
    }

    @AfterAll
    static void stopServer() throws IOException {
        ceph.close();
    }

    @Test
    void objectsCannotBeLockedInABucketThatWasNotMadeForIt() throws IOException {
        try (ObjectStore store = openAnother()) {
            assertTrue(store.objectLock().isEmpty());
        }
    }
}
