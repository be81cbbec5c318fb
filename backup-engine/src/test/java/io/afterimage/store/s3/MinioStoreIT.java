package io.afterimage.store.s3;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.afterimage.store.ObjectStore;
import io.afterimage.store.ObjectStoreContract;
import java.net.URI;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.testcontainers.DockerClientFactory;
import org.testcontainers.containers.MinIOContainer;

/** The contract on MinIO, where Docker runs. */
final class MinioStoreIT extends ObjectStoreContract {

    private static final String SKIPPED = "SKIPPED: the S3 store on MinIO, since no Docker daemon answers; install docker.io and start it";
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
        bucket.create();
        return bucket.open("some/prefix");
    }

    @Override
    protected ObjectStore openAnother() {
        return bucket.open("some/prefix");
    }
}
