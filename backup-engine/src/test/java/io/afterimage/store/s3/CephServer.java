package io.afterimage.store.s3;

import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** Ceph with its S3 API: a {@link CephCluster} and one gateway. The only store with object lock among the distribution's packages. */
public final class CephServer implements S3TestServer {

    public static final String ACCESS_KEY = "tester";
    public static final String SECRET_KEY = "testing-testing";
    public static final String PACKAGES = "radosgw " + CephCluster.PACKAGES;

    private final CephCluster cluster;
    private final int gatewayPort = ServerProcesses.freePort();

    private CephServer(CephCluster cluster) throws IOException {
        this.cluster = cluster;
    }

    /** Starts it and waits until it answers. */
    public static CephServer start() throws IOException, InterruptedException {
        for (String program : List.of("/usr/bin/radosgw", "/usr/bin/radosgw-admin")) {
            if (!Files.isExecutable(Path.of(program))) {
                throw new IllegalStateException(program + " is missing: apt-get install --no-install-recommends " + PACKAGES);
            }
        }
        CephServer server = new CephServer(CephCluster.start());
        try {
            server.launch();
            return server;
        } catch (IOException | InterruptedException | RuntimeException e) {
            server.close();
            throw e;
        }
    }

    @Override
    public S3TestBucket bucket(String name) {
        return new S3TestBucket(endpoint(), ACCESS_KEY, SECRET_KEY, name);
    }

    public URI endpoint() {
        return URI.create("http://127.0.0.1:" + gatewayPort);
    }

    private void launch() throws IOException, InterruptedException {
        cluster.configure("""
                rgw data = %s
                rgw frontends = beast endpoint=127.0.0.1:%d
                rgw rados pool pg num min = 1
                rgw enable apis = s3
                rgw thread pool size = 32
                rgw override bucket index max shards = 1
                rgw enable lc threads = false
                rgw run sync thread = false
                """.formatted(Files.createDirectories(cluster.path("gateway")), gatewayPort));
        // The first of the two makes the pools; both at once would.
        cluster.finish("radosgw-admin", "user", "create", "--uid", "tester", "--display-name", "tester", "--access-key", ACCESS_KEY, "--secret", SECRET_KEY);
        cluster.start("gateway", "radosgw", "-n", "client.admin", "-f");
        cluster.processes().awaitAnswer(endpoint());
    }

    @Override
    public void close() throws IOException {
        cluster.close();
    }
}
