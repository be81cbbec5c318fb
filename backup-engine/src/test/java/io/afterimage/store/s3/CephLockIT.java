package io.afterimage.store.s3;

import java.io.IOException;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;

/** The contract of object lock on Ceph's S3 API. */
final class CephLockIT extends S3LockContract {

    private static CephServer ceph;

    CephLockIT() {
        super(ceph);
    }

    @BeforeAll
    static void startServer() throws IOException, InterruptedException {
        ceph = CephServer.start();
    }

    @AfterAll
    static void stopServer() throws IOException {
        ceph.close();
    }
}
