package io.afterimage.store.s3;

import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;

/** The contract of object lock on MinIO, where Docker runs. */
final class MinioLockIT extends S3LockContract {

    private static MinioServer minio;

    MinioLockIT() {
        super(minio);
    }

    @BeforeAll
    static void startServer() {
        minio = MinioServer.start("object lock");
    }

    @AfterAll
    static void stopServer() {
        if (minio != null) {
            minio.close();
        }
    }
}
