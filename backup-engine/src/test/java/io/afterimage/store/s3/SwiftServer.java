package io.afterimage.store.s3;

import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.util.List;
import software.amazon.awssdk.services.s3.model.S3Exception;

/**
 * OpenStack Swift with its S3 API, from the distribution's packages, on ports and in a folder of its own: one process each for accounts,
 * containers, objects and the proxy, and a memcached.
 */
public final class SwiftServer implements S3TestServer {

    public static final String ACCESS_KEY = "test:tester";
    public static final String SECRET_KEY = "testing";
    public static final String REGION = "us-east-1";

    private static final List<String> PROGRAMS = List.of(
            "/usr/bin/swift-account-server", "/usr/bin/swift-container-server", "/usr/bin/swift-object-server", "/usr/bin/swift-proxy-server", "/usr/bin/memcached");
    private static final String USER = System.getProperty("user.name");

    private final ServerProcesses processes =
            new ServerProcesses("swift", PROGRAMS, "swift-proxy swift-account swift-container swift-object memcached");
    private final int proxyPort = ServerProcesses.freePort();

    private SwiftServer() throws IOException {}

    /** Starts it and waits until it answers. */
    public static SwiftServer start() throws IOException, InterruptedException {
        SwiftServer server = new SwiftServer();
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
        return URI.create("http://127.0.0.1:" + proxyPort);
    }

    private void launch() throws IOException, InterruptedException {
        int account = ServerProcesses.freePort();
        int container = ServerProcesses.freePort();
        int object = ServerProcesses.freePort();
        int memcached = ServerProcesses.freePort();
        Files.createDirectories(processes.path("devices/d1"));
        processes.write("swift.conf", "[swift-hash]\nswift_hash_path_suffix = afterimage\n");
        processes.write("account.conf", storageServer("account", account));
        processes.write("container.conf", storageServer("container", container));
        processes.write("object.conf", storageServer("object", object));
        processes.write("proxy.conf", proxy(memcached));
        processes.write("rings.py", """
                import sys
                from swift.common.ring import RingBuilder
                for name, port in zip(('account', 'container', 'object'), map(int, sys.argv[2:])):
                    builder = RingBuilder(4, 1, 1)
                    builder.add_dev({'id': 0, 'region': 1, 'zone': 1, 'weight': 100, 'ip': '127.0.0.1', 'port': port, 'device': 'd1'})
                    builder.rebalance()
                    builder.get_ring().save('%s/%s.ring.gz' % (sys.argv[1], name))
                """);
        processes.finish(
                "rings",
                List.of("/usr/bin/python3", path("rings.py"), processes.folder().toString(), "" + account, "" + container, "" + object));
        processes.start("memcached", List.of("/usr/bin/memcached", "-l", "127.0.0.1", "-p", "" + memcached, "-U", "0", "-m", "16", "-u", USER));
        for (String server : List.of("account", "container", "object", "proxy")) {
            processes.start(server, List.of("/usr/bin/swift-" + server + "-server", path(server + ".conf")));
        }
        processes.awaitAnswer(endpoint().resolve("/healthcheck"));
        awaitStorage();
    }

    private String storageServer(String kind, int port) {
        return """
                [DEFAULT]
                bind_ip = 127.0.0.1
                bind_port = %d
                workers = 1
                user = %s
                swift_dir = %s
                devices = %s
                mount_check = false
                fallocate_reserve = 0
                log_address = /nowhere
                [pipeline:main]
                pipeline = %s-server
                [app:%s-server]
                use = egg:swift#%s
                """.formatted(port, USER, processes.folder(), path("devices"), kind, kind, kind);
    }

    private String proxy(int memcached) {
        return """
                [DEFAULT]
                bind_ip = 127.0.0.1
                bind_port = %d
                workers = 1
                user = %s
                swift_dir = %s
                log_address = /nowhere
                [pipeline:main]
                pipeline = catch_errors gatekeeper healthcheck cache listing_formats bulk s3api tempauth slo dlo symlink versioned_writes proxy-server
                [app:proxy-server]
                use = egg:swift#proxy
                account_autocreate = true
                [filter:tempauth]
                use = egg:swift#tempauth
                user_test_tester = testing .admin
                [filter:s3api]
                use = egg:swift#s3api
                location = us-east-1
                [filter:cache]
                use = egg:swift#memcache
                memcache_servers = 127.0.0.1:%d
                [filter:catch_errors]
                use = egg:swift#catch_errors
                [filter:gatekeeper]
                use = egg:swift#gatekeeper
                [filter:healthcheck]
                use = egg:swift#healthcheck
                [filter:listing_formats]
                use = egg:swift#listing_formats
                [filter:bulk]
                use = egg:swift#bulk
                [filter:slo]
                use = egg:swift#slo
                [filter:dlo]
                use = egg:swift#dlo
                [filter:symlink]
                use = egg:swift#symlink
                [filter:versioned_writes]
                use = egg:swift#versioned_writes
                """.formatted(proxyPort, USER, processes.folder(), memcached);
    }

    /** The proxy is healthy before the servers behind it are there. */
    private void awaitStorage() throws IOException, InterruptedException {
        S3TestBucket bucket = bucket("ready");
        processes.await("the storage of Swift", () -> {
            try {
                bucket.create();
                return true;
            } catch (S3Exception e) {
                if (e.statusCode() != 503) {
                    throw e;
                }
                return false;
            }
        });
    }

    private String path(String name) {
        return processes.path(name).toString();
    }

    @Override
    public void close() throws IOException {
        processes.close();
    }
}
