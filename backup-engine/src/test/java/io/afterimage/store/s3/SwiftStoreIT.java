package io.afterimage.store.s3;

import static org.junit.jupiter.api.Assertions.assertTrue;

import io.afterimage.store.ObjectStore;
import java.io.IOException;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** The contract on OpenStack Swift's S3 API, the most different of the stores. */
final class SwiftStoreIT extends S3StoreContract {

    private static SwiftServer swift;

    SwiftStoreIT() {
        super(swift);
    }

    @BeforeAll
    static void startServer() throws IOException, InterruptedException {
        swift = SwiftServer.start();
    }

    @AfterAll
    static void stopServer() throws IOException {
        swift.close();
    }

    @Test
    void objectsCannotBeLocked() throws IOException {
        try (ObjectStore store = openAnother()) {
            assertTrue(store.objectLock().isEmpty());
        }
    }
}
