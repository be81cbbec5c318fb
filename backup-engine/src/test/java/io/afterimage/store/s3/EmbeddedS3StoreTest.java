package io.afterimage.store.s3;

import static org.junit.jupiter.api.Assertions.assertTrue;

import io.afterimage.store.ObjectStore;
import io.afterimage.store.ObjectStoreContract;
import java.io.IOException;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** The contract on S3Proxy, in this JVM. */
final class EmbeddedS3StoreTest extends ObjectStoreContract {

    private static final AtomicInteger BUCKETS = new AtomicInteger();
    private static EmbeddedS3 server;

    private final S3TestBucket bucket = new S3TestBucket(server.endpoint(), EmbeddedS3.ACCESS_KEY, EmbeddedS3.SECRET_KEY, "bucket-" + BUCKETS.incrementAndGet());

    @BeforeAll
    static void startServer() throws IOException {
        server = EmbeddedS3.start();
    }

    @AfterAll
    static void stopServer() throws IOException {
        server.close();
    }

    @Override
    protected ObjectStore open() {
        bucket.create();
        return bucket.open("some/prefix");
    }

    @Override
    protected ObjectStore openAnother() {
        return bucket.open("some/prefix");
    }

    @Override
    protected int moreThanAPage() {
        return ObjectStore.PAGE + 17;
    }

    @Override
    protected int rounds() {
        return 10;
    }

    @Test
    void objectsCannotBeLocked() throws IOException {
        try (ObjectStore store = openAnother()) {
            assertTrue(store.objectLock().isEmpty());
        }
    }
}
