package io.afterimage.store.s3;

import static org.junit.jupiter.api.Assertions.assertTrue;

import io.afterimage.store.ObjectStore;
import io.afterimage.store.ObjectStoreContract;
import java.io.IOException;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** The contract on Ceph's S3 API, in a plain bucket. */
final class CephStoreIT extends ObjectStoreContract {

    private static final AtomicInteger BUCKETS = new AtomicInteger();
    private static CephServer ceph;

    private final S3TestBucket bucket = new S3TestBucket(ceph.endpoint(), CephServer.ACCESS_KEY, CephServer.SECRET_KEY, "bucket-" + BUCKETS.incrementAndGet());

    @BeforeAll
    static void startCeph() throws IOException, InterruptedException {
        ceph = CephServer.start();
    }

    @AfterAll
    static void stopCeph() throws IOException {
        ceph.close();
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

    /** A PUT takes several milliseconds of a core. */
    @Override
    protected int moreThanAPage() {
        return ObjectStore.PAGE + 17;
    }

    @Override
    protected int rounds() {
        return 20;
    }

    @Test
    void objectsCannotBeLockedInABucketThatWasNotMadeForIt() throws IOException {
        try (ObjectStore store = openAnother()) {
            assertTrue(store.objectLock().isEmpty());
        }
    }
}
