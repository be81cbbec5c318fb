package io.afterimage.store.s3;

import io.afterimage.store.ObjectKey;
import io.afterimage.store.ObjectLockContract;
import io.afterimage.store.ObjectStore;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.atomic.AtomicInteger;

/** The contract of object lock on an S3 API: each test in a bucket of its own. */
abstract class S3LockContract extends ObjectLockContract {

    private static final AtomicInteger BUCKETS = new AtomicInteger();

    private final S3TestBucket bucket;

    S3LockContract(S3TestServer server) {
        bucket = server.bucket("locked-" + BUCKETS.incrementAndGet());
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
