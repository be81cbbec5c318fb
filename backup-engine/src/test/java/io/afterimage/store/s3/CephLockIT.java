package io.afterimage.store.s3;

import io.afterimage.store.ObjectKey;
import io.afterimage.store.ObjectLockContract;
import io.afterimage.store.ObjectStore;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;

/** The contract of object lock on Ceph's S3 API. */
final class CephLockIT extends ObjectLockContract {

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
        bucket.createWithObjectLock();
        return bucket.open("some/prefix");
    }

    @Override
    protected boolean isKept(ObjectKey key, byte[] content) {
        return bucket.versions("some/prefix/" + key).contains(new String(content, StandardCharsets.UTF_8));
    }
}
