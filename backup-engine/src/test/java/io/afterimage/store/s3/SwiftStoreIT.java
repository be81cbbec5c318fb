package io.afterimage.store.s3;

import static org.junit.jupiter.api.Assertions.assertTrue;

import io.afterimage.store.ObjectStore;
import io.afterimage.store.ObjectStoreContract;
import java.io.IOException;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** The contract on OpenStack Swift's S3 API, the most different of the stores. */
final class SwiftStoreIT extends ObjectStoreContract {

    private static final AtomicInteger BUCKETS = new AtomicInteger();
    private static SwiftServer swift;

    private final S3TestBucket bucket = new S3TestBucket(swift.endpoint(), SwiftServer.ACCESS_KEY, SwiftServer.SECRET_KEY, "bucket-" + BUCKETS.incrementAndGet());

    @BeforeAll
    static void startSwift() throws IOException, InterruptedException {
        swift = SwiftServer.start();
    }

    @AfterAll
    static void stopSwift() throws IOException {
        swift.close();
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

    /** A PUT takes 30 ms of a core. */
    @Override
    protected int moreThanAPage() {
        return ObjectStore.PAGE + 17;
    }

    @Override
    protected int rounds() {
        return 20;
    }

    @Test
    void objectsCannotBeLocked() throws IOException {
        try (ObjectStore store = openAnother()) {
            assertTrue(store.objectLock().isEmpty());
        }
    }
}
