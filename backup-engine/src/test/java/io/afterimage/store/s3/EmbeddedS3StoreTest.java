package io.afterimage.store.s3;

import static org.junit.jupiter.api.Assertions.assertTrue;

import io.afterimage.store.ObjectStore;
import java.io.IOException;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** The contract on S3Proxy, in this JVM. */
final class EmbeddedS3StoreTest extends S3StoreContract {

    private static EmbeddedS3 server;

    EmbeddedS3StoreTest() {
        super(server);
    }

    @BeforeAll
    static void startServer() throws IOException, InterruptedException {
        server = EmbeddedS3.start();
    }

    @AfterAll
    static void stopServer() throws IOException {
        server.close();
    }

    @Test
    void objectsCannotBeLocked() throws IOException {
        try (ObjectStore store = openAnother()) {
            assertTrue(store.objectLock().isEmpty());
        }
    }
}
