package io.afterimage.store.s3;

import java.io.Closeable;
import java.io.IOException;
import java.net.ConnectException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import software.amazon.awssdk.services.s3.model.S3Exception;

/**
 * OpenStack Swift with its S3 API, from the distribution's packages, on ports and in a folder of its own: one process each for accounts,
 * containers, objects and the proxy, and a memcached.
 */
public final class SwiftServer implements Closeable {

    public static final String ACCESS_KEY = "test:tester";
    public static final String SECRET_KEY = "testing";
    public static final String REGION = "us-east-1";

    private static final List<String> PROGRAMS = List.of(
            "/usr/bin/swift-account-server", "/usr/bin/swift-container-server", "/usr/bin/swift-object-server", "/usr/bin/swift-proxy-server", "/usr/bin/memcached");
    private static final Duration PATIENCE = Duration.ofSeconds(60);

    private final Path folder;
    private final List<Process> processes = new ArrayList<>();
    private final Thread killer = new Thread(this::kill);
    private final int proxyPort = freePort();

    private SwiftServer(Path folder) throws IOException {
        this.folder = folder;
    }

    /** Starts it and waits until it answers. */
    public static SwiftServer start() throws IOException, InterruptedException {
        for (String program : PROGRAMS) {
            if (!Files.isExecutable(Path.of(program))) {
                throw new IllegalStateException(program + " is missing: apt-get install swift-proxy swift-account swift-container swift-object memcached");
            }
        }
        SwiftServer server = new SwiftServer(Files.createTempDirectory("afterimage-swift"));
        Runtime.getRuntime().addShutdownHook(server.killer);
        try {
            server.launch();
            return server;
        } catch (IOException | InterruptedException | RuntimeException e) {
            server.close();
            throw e;
        }
    }

    public URI endpoint() {
        return URI.create("http://127.0.0.1:" + proxyPort);
    }

    private void launch() throws IOException, InterruptedException {
        int account = freePort();
        int container = freePort();
        int object = freePort();
        int memcached = freePort();
        Files.createDirectories(folder.resolve("devices/d1"));
        write("swift.conf", "[swift-hash]\nswift_hash_path_suffix = afterimage\n");
        write("account.conf", storageServer("account", account));
        write("container.conf", storageServer("container", container));
        write("object.conf", storageServer("object", object));
        write("proxy.conf", proxy(memcached));
        write("rings.py", """
                import sys
                from swift.common.ring import RingBuilder
                for name, port in zip(('account', 'container', 'object'), map(int, sys.argv[2:])):
                    builder = RingBuilder(4, 1, 1)
                    builder.add_dev({'id': 0, 'region': 1, 'zone': 1, 'weight': 100, 'ip': '127.0.0.1', 'port': port, 'device': 'd1'})
                    builder.rebalance()
                    builder.get_ring().save('%s/%s.ring.gz' % (sys.argv[1], name))
                """);
        Process rings = run("rings", "/usr/bin/python3", path("rings.py"), folder.toString(), "" + account, "" + container, "" + object);
        if (rings.waitFor() != 0) {
            throw new IOException("no rings: " + Files.readString(folder.resolve("rings.log")));
        }
        processes.add(run("memcached", "/usr/bin/memcached", "-l", "127.0.0.1", "-p", "" + memcached, "-U", "0", "-m", "16", "-u", System.getProperty("user.name")));
        processes.add(run("account", "/usr/bin/swift-account-server", path("account.conf")));
        processes.add(run("container", "/usr/bin/swift-container-server", path("container.conf")));
        processes.add(run("object", "/usr/bin/swift-object-server", path("object.conf")));
        processes.add(run("proxy", "/usr/bin/swift-proxy-server", path("proxy.conf")));
        awaitHealth();
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
                """.formatted(port, System.getProperty("user.name"), folder, path("devices"), kind, kind, kind);
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
                """.formatted(proxyPort, System.getProperty("user.name"), folder, memcached);
    }

    private void awaitHealth() throws IOException, InterruptedException {
        long deadline = System.nanoTime() + PATIENCE.toNanos();
        try (HttpClient client = HttpClient.newHttpClient()) {
            HttpRequest request = HttpRequest.newBuilder(endpoint().resolve("/healthcheck")).timeout(PATIENCE).build();
            while (true) {
                try {
                    if (client.send(request, BodyHandlers.discarding()).statusCode() == 200) {
                        return;
                    }
                } catch (ConnectException e) {
                    // Not listening yet.
                }
                for (Process process : processes) {
                    if (process.waitFor(20, TimeUnit.MILLISECONDS)) {
                        throw new IOException(process.info() + " ended early; see the logs:\n" + logs());
                    }
                }
                if (System.nanoTime() > deadline) {
                    throw new IOException("Swift did not come up:\n" + logs());
                }
            }
        }
    }

    /** The proxy is healthy before the servers behind it are there. */
    private void awaitStorage() throws InterruptedException {
        long deadline = System.nanoTime() + PATIENCE.toNanos();
        S3TestBucket bucket = new S3TestBucket(endpoint(), ACCESS_KEY, SECRET_KEY, "ready");
        while (true) {
            try {
                bucket.create();
                return;
            } catch (S3Exception e) {
                if (e.statusCode() != 503 || System.nanoTime() > deadline) {
                    throw e;
                }
                processes.getLast().waitFor(50, TimeUnit.MILLISECONDS);
            }
        }
    }

    private String logs() throws IOException {
        StringBuilder text = new StringBuilder();
        try (Stream<Path> files = Files.list(folder)) {
            for (Path log : files.filter(file -> file.toString().endsWith(".log")).toList()) {
                text.append(log.getFileName()).append(":\n").append(Files.readString(log));
            }
        }
        return text.toString();
    }

    private Process run(String name, String... command) throws IOException {
        return new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(folder.resolve(name + ".log").toFile()).start();
    }

    private void write(String name, String content) throws IOException {
        Files.writeString(folder.resolve(name), content);
    }

    private String path(String name) {
        return folder.resolve(name).toString();
    }

    private static int freePort() throws IOException {
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return socket.getLocalPort();
        }
    }

    private void kill() {
        for (Process process : processes) {
            process.descendants().forEach(ProcessHandle::destroyForcibly);
            process.destroyForcibly();
        }
    }

    @Override
    public void close() throws IOException {
        Runtime.getRuntime().removeShutdownHook(killer);
        kill();
        for (Process process : processes) {
            process.onExit().join();
        }
        try (Stream<Path> files = Files.walk(folder)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(file);
            }
        }
    }
}
