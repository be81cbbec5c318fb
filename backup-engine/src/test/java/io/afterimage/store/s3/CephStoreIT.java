package io.afterimage.store.s3;

import static org.junit.jupiter.api.Assertions.assertTrue;

import io.afterimage.store.ObjectKey;
import io.afterimage.store.ObjectLockContract;
import io.afterimage.store.ObjectStore;
import io.afterimage.store.ObjectStoreContract;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

/** Both contracts on Ceph's S3 API: that of stores in a plain bucket, that of object lock in one that was made with it. */
final class CephStoreIT {

    private static final AtomicInteger BUCKETS = new AtomicInteger();
    private static CephServer ceph;

    @BeforeAll
    static void startCeph() throws IOException, InterruptedException {
        ceph = CephServer.start();
    }

    @AfterAll
    static void stopCeph() throws IOException {
        if (ceph != null) {
            ceph.close();
        }
    }

    private static S3TestBucket newBucket() {
        return new S3TestBucket(ceph.endpoint(), CephServer.ACCESS_KEY, CephServer.SECRET_KEY, "bucket-" + BUCKETS.incrementAndGet());
    }

    @Nested
    final class Plain extends ObjectStoreContract {

        private final S3TestBucket bucket = newBucket();

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
        void hasNoObjectLock() throws IOException {
            bucket.create();
            try (ObjectStore store = bucket.open("some/prefix")) {
                assertTrue(store.objectLock().isEmpty());
            }
        }
    }

    @Nested
    final class Locked extends ObjectLockContract {

        private final S3TestBucket bucket = newBucket();

        @Override
        protected ObjectStore open() {
            bucket.createWithObjectLock();
            return bucket.open("some/prefix");
        }

        @Override
        protected boolean isKept(ObjectKey key, byte[] content) {
            return bucket.versions("some/prefix/" + key).contains(new String(content, StandardCharsets.UTF_8));
        }
    }
}
