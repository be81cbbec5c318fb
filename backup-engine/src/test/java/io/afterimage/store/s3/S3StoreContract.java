package io.afterimage.store.s3;

import io.afterimage.store.ObjectStore;
import io.afterimage.store.ObjectStoreContract;
import java.util.concurrent.atomic.AtomicInteger;

/** The contract on an S3 API: each test in a bucket of its own. */
abstract class S3StoreContract extends ObjectStoreContract {

    private static final AtomicInteger BUCKETS = new AtomicInteger();

    private final S3TestBucket bucket;

    S3StoreContract(S3TestServer server) {
        bucket = server.bucket("bucket-" + BUCKETS.incrementAndGet());
    }

    @Override
    protected ObjectStore open() {
        bucket.create();
        return openAnother();
    }

    @Override
    protected ObjectStore openAnother() {
        return bucket.open("some/prefix");
    }

    /** A PUT takes up to 30 ms of a core. */
    @Override
    protected int moreThanAPage() {
        return ObjectStore.PAGE + 17;
    }

    @Override
    protected int rounds() {
        return 20;
    }
}
