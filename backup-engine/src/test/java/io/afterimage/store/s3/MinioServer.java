package io.afterimage.store.s3;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.net.URI;
import org.testcontainers.DockerClientFactory;
import org.testcontainers.containers.MinIOContainer;

/** MinIO, where Docker runs. */
final class MinioServer implements S3TestServer {

    private final MinIOContainer container = new MinIOContainer("minio/minio:RELEASE.2025-09-07T16-13-09Z");

    /** Skips the tests, loudly, where Docker does not run. */
    static MinioServer start(String what) {
        boolean docker = DockerClientFactory.instance().isDockerAvailable();
        String skipped = "SKIPPED: " + what + " on MinIO, since no Docker daemon answers; install docker.io and start it";
        if (!docker) {
            System.err.println(skipped);
        }
        assumeTrue(docker, skipped);
        MinioServer server = new MinioServer();
        server.container.start();
        return server;
    }

    @Override
    public S3TestBucket bucket(String name) {
        return new S3TestBucket(URI.create(container.getS3URL()), container.getUserName(), container.getPassword(), name);
    }

    @Override
    public void close() {
        container.stop();
    }
}
