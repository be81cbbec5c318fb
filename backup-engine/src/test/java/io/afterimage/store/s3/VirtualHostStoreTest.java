package io.afterimage.store.s3;

import static org.junit.jupiter.api.Assertions.assertNotNull;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;

/**
 * The contract with buckets in the names of hosts, as AWS has them. Runs in a JVM of its own, which takes the addresses of hosts from the file that
 * {@code jdk.net.hosts.file} names, and from nowhere else (java.net.InetAddress).
 */
final class VirtualHostStoreTest extends S3StoreContract {

    private static final String HOST = "s3.test";
    private static final int MOST_BUCKETS = 200;

    private static EmbeddedS3 server;

    VirtualHostStoreTest() {
        super(server);
    }

    @BeforeAll
    static void startServer() throws IOException {
        String hosts = System.getProperty("jdk.net.hosts.file");
        assertNotNull(hosts, "run it by Maven, or with -Djdk.net.hosts.file=FILE; the file is written by this test");
        Files.writeString(
                Path.of(hosts),
                IntStream.rangeClosed(0, MOST_BUCKETS)
                        .mapToObj(number -> "127.0.0.1 " + (number == 0 ? "" : "bucket-" + number + ".") + HOST + "\n")
                        .collect(Collectors.joining()));
        server = EmbeddedS3.startWithBucketsAsHosts(HOST);
    }

    @AfterAll
    static void stopServer() throws IOException {
        server.close();
    }
}
