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
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/**
 * Ceph with its S3 API, from the distribution's packages, on ports and in a folder of its own: one monitor, one storage daemon that keeps objects in
 * memory, and one gateway. The only store with object lock among the distribution's packages.
 */
public final class CephServer implements Closeable {

    public static final String ACCESS_KEY = "tester";
    public static final String SECRET_KEY = "testing-testing";
    public static final String PACKAGES = "radosgw ceph-mon ceph-osd";

    private static final List<String> PROGRAMS =
            List.of("/usr/bin/ceph-mon", "/usr/bin/ceph-osd", "/usr/bin/radosgw", "/usr/bin/radosgw-admin", "/usr/bin/ceph", "/usr/bin/monmaptool");
    private static final Duration PATIENCE = Duration.ofMinutes(2);

    private final Path folder;
    private final List<Process> processes = new ArrayList<>();
    private final Thread killer = new Thread(this::kill);
    private final int gatewayPort = freePort();

    private CephServer(Path folder) throws IOException {
        this.folder = folder;
    }

    /** Starts it and waits until it answers. */
    public static CephServer start() throws IOException, InterruptedException {
        for (String program : PROGRAMS) {
            if (!Files.isExecutable(Path.of(program))) {
                throw new IllegalStateException(program + " is missing: apt-get install --no-install-recommends " + PACKAGES);
            }
        }
        CephServer server = new CephServer(Files.createTempDirectory("afterimage-ceph"));
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
        return URI.create("http://127.0.0.1:" + gatewayPort);
    }

    private void launch() throws IOException, InterruptedException {
        String cluster = UUID.randomUUID().toString();
        String disk = UUID.randomUUID().toString();
        int monitorPort = freePort();
        for (String name : List.of("mon", "osd", "gateway", "run", "crash")) {
            Files.createDirectories(path(name));
        }
        Files.writeString(path("ceph.conf"), configuration(cluster, monitorPort));
        finish("monmaptool", "--create", "--fsid", cluster, "--addv", "a", "[v2:127.0.0.1:" + monitorPort + "/0]", path("monmap").toString());
        finish("ceph-mon", "-i", "a", "--mkfs", "--monmap", path("monmap").toString());
        processes.add(run("monitor", "ceph-mon", "-i", "a", "-f"));
        finish("ceph", "--connect-timeout", "" + PATIENCE.toSeconds(), "osd", "new", disk);
        finish("ceph-osd", "-i", "0", "--osd-uuid", disk, "--mkfs");
        processes.add(run("storage", "ceph-osd", "-i", "0", "-f"));
        // The first of the two makes the pools; both at once would.
        finish("radosgw-admin", "user", "create", "--uid", "tester", "--display-name", "tester", "--access-key", ACCESS_KEY, "--secret", SECRET_KEY);
        processes.add(run("gateway", "radosgw", "-n", "client.admin", "-f"));
        awaitAnswer();
    }

    /** Without authentication between its parts, without redundancy, and without what it does in the background on its own. */
    private String configuration(String cluster, int monitorPort) {
        return """
                [global]
                fsid = %s
                mon host = [v2:127.0.0.1:%d/0]
                ms bind ipv6 = false
                public network = 127.0.0.0/8
                ms mon client mode = crc
                auth cluster required = none
                auth service required = none
                auth client required = none
                run dir = %s
                admin socket =
                pid file =
                crash dir = %s
                log file =
                mon cluster log file =
                mon data = %s
                osd data = %s
                rgw data = %s
                mon data avail warn = 1
                mon data avail crit = 1
                mon allow pool size one = true
                paxos propose interval = 0.05
                paxos min wait = 0.02
                osd objectstore = memstore
                memstore device bytes = 2G
                osd pool default size = 1
                osd pool default min size = 1
                osd pool default pg num = 1
                osd pool default pgp num = 1
                osd pool default pg autoscale mode = off
                osd crush chooseleaf type = 0
                rgw frontends = beast endpoint=127.0.0.1:%d
                rgw rados pool pg num min = 1
                rgw enable apis = s3
                rgw thread pool size = 32
                rgw override bucket index max shards = 1
                rgw enable lc threads = false
                rgw run sync thread = false
                """.formatted(cluster, monitorPort, path("run"), path("crash"), path("mon"), path("osd"), path("gateway"), gatewayPort);
    }

    private void awaitAnswer() throws IOException, InterruptedException {
        long deadline = System.nanoTime() + PATIENCE.toNanos();
        try (HttpClient client = HttpClient.newHttpClient()) {
            HttpRequest request = HttpRequest.newBuilder(endpoint()).timeout(PATIENCE).build();
            while (true) {
                try {
                    if (client.send(request, BodyHandlers.discarding()).statusCode() == 200) {
                        return;
                    }
                } catch (ConnectException e) {
                    // Not listening yet.
                }
                for (Process process : processes) {
                    if (process.waitFor(50, TimeUnit.MILLISECONDS)) {
                        throw new IOException(process.info() + " ended early; see the logs:\n" + logs());
                    }
                }
                if (System.nanoTime() > deadline) {
                    throw new IOException("Ceph did not come up:\n" + logs());
                }
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

    private void finish(String program, String... arguments) throws IOException, InterruptedException {
        Process process = run(program, program, arguments);
        if (!process.waitFor(PATIENCE.toSeconds(), TimeUnit.SECONDS)) {
            process.destroyForcibly();
            throw new IOException(program + " does not come to an end:\n" + logs());
        }
        if (process.exitValue() != 0) {
            throw new IOException(program + " failed:\n" + logs());
        }
    }

    private Process run(String log, String program, String... arguments) throws IOException {
        List<String> command = new ArrayList<>(List.of("/usr/bin/" + program));
        if (!program.equals("monmaptool")) {
            command.addAll(List.of("-c", path("ceph.conf").toString()));
        }
        command.addAll(List.of(arguments));
        return new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(path(log + ".log").toFile()).start();
    }

    private Path path(String name) {
        return folder.resolve(name);
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
