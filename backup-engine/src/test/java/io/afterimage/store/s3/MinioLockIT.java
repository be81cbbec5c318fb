package io.afterimage.store.s3;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.afterimage.store.ObjectKey;
import io.afterimage.store.ObjectLockContract;
import io.afterimage.store.ObjectStore;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.testcontainers.DockerClientFactory;
import org.testcontainers.containers.MinIOContainer;

/** The contract of object lock on MinIO, where Docker runs. */
final class MinioLockIT extends ObjectLockContract {

    private static final String SKIPPED = "SKIPPED: object lock on MinIO, since no Docker daemon answers; install docker.io and start it";
    private static final AtomicInteger BUCKETS = new AtomicInteger();
    private static MinIOContainer minio;

    private final S3TestBucket bucket =
            new S3TestBucket(URI.create(minio.getS3URL()), minio.getUserName(), minio.getPassword(), "bucket-" + BUCKETS.incrementAndGet());

    @BeforeAll
    static void startMinio() {
        boolean docker = DockerClientFactory.instance().isDockerAvailable();
        if (!docker) {
            System.err.println(SKIPPED);
        }
        assumeTrue(docker, SKIPPED);
        minio = new MinIOContainer("minio/minio:RELEASE.2025-09-07T16-13-09Z");
        minio.start();
    }

    @AfterAll
    static void stopMinio() {
        if (minio != null) {
            minio.stop();
        }
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
