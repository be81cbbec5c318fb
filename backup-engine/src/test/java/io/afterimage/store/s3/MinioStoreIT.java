package io.afterimage.store.s3;

import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;

/** The contract on MinIO, where Docker runs. */
final class MinioStoreIT extends S3StoreContract {

    private static MinioServer minio;

    MinioStoreIT() {
        super(minio);
    }

    @BeforeAll
    static void startServer() {
        minio = MinioServer.start("the S3 store");
    }

    @AfterAll
    static void stopServer() {
        if (minio != null) {
            minio.close();
        }
    }
}
