package io.afterimage.store.s3;

import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;

/**
 * Ceph with its S3 API, from the distribution's packages, on ports and in a folder of its own: one monitor, one storage daemon that keeps objects in
 * memory, and one gateway. The only store with object lock among the distribution's packages.
 */
public final class CephServer implements S3TestServer {

    public static final String ACCESS_KEY = "tester";
    public static final String SECRET_KEY = "testing-testing";
    public static final String PACKAGES = "radosgw ceph-mon ceph-osd";

    private static final List<String> PROGRAMS =
            List.of("/usr/bin/ceph-mon", "/usr/bin/ceph-osd", "/usr/bin/radosgw", "/usr/bin/radosgw-admin", "/usr/bin/ceph", "/usr/bin/monmaptool");
    private final ServerProcesses processes = new ServerProcesses("ceph", PROGRAMS, PACKAGES);
    private final int gatewayPort = ServerProcesses.freePort();

    private CephServer() throws IOException {}

    /** Starts it and waits until it answers. */
    public static CephServer start() throws IOException, InterruptedException {
        CephServer server = new CephServer();
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
        String cluster = UUID.randomUUID().toString();
        String disk = UUID.randomUUID().toString();
        int monitorPort = ServerProcesses.freePort();
        for (String name : List.of("mon", "osd", "gateway", "run", "crash")) {
            Files.createDirectories(path(name));
        }
        processes.write("ceph.conf", configuration(cluster, monitorPort));
        finish("monmaptool", "--create", "--fsid", cluster, "--addv", "a", "[v2:127.0.0.1:" + monitorPort + "/0]", path("monmap").toString());
        finish("ceph-mon", "-i", "a", "--mkfs", "--monmap", path("monmap").toString());
        start("monitor", "ceph-mon", "-i", "a", "-f");
        finish("ceph", "--connect-timeout", "120", "osd", "new", disk);
        finish("ceph-osd", "-i", "0", "--osd-uuid", disk, "--mkfs");
        start("storage", "ceph-osd", "-i", "0", "-f");
        // The first of the two makes the pools; both at once would.
        finish("radosgw-admin", "user", "create", "--uid", "tester", "--display-name", "tester", "--access-key", ACCESS_KEY, "--secret", SECRET_KEY);
        start("gateway", "radosgw", "-n", "client.admin", "-f");
        processes.awaitAnswer(endpoint());
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

    private void finish(String program, String... arguments) throws IOException, InterruptedException {
        processes.finish(program, command(program, arguments));
    }

    private void start(String name, String program, String... arguments) throws IOException {
        processes.start(name, command(program, arguments));
    }

    private List<String> command(String program, String... arguments) {
        List<String> command = new ArrayList<>(List.of("/usr/bin/" + program));
        if (!program.equals("monmaptool")) {
            command.addAll(List.of("-c", path("ceph.conf").toString()));
        }
        command.addAll(List.of(arguments));
        return command;
    }

    private Path path(String name) {
        return processes.path(name);
    }

    @Override
    public void close() throws IOException {
        processes.close();
    }
}
