package io.afterimage.store.s3;

import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;

/** Ceph from the distribution's packages, in a folder of its own: one monitor, and one storage daemon that keeps objects in memory. */
public final class CephCluster implements Closeable {

    public static final String PACKAGES = "ceph-mon ceph-osd ceph-common";

    private static final List<String> PROGRAMS =
            List.of("/usr/bin/ceph-mon", "/usr/bin/ceph-osd", "/usr/bin/ceph", "/usr/bin/monmaptool", "/usr/bin/rbd");
    private final ServerProcesses processes = new ServerProcesses("ceph", PROGRAMS, PACKAGES);

    private CephCluster() throws IOException {}

    /** Starts it; whoever asks it for something waits until it is up. */
    public static CephCluster start() throws IOException, InterruptedException {
        CephCluster cluster = new CephCluster();
        try {
            cluster.launch();
            return cluster;
        } catch (IOException | InterruptedException | RuntimeException e) {
            cluster.close();
            throw e;
        }
    }

    private void launch() throws IOException, InterruptedException {
        String cluster = UUID.randomUUID().toString();
        String disk = UUID.randomUUID().toString();
        int monitorPort = ServerProcesses.freePort();
        for (String name : List.of("mon", "osd", "run", "crash")) {
            Files.createDirectories(path(name));
        }
        processes.write("ceph.conf", text(cluster, monitorPort));
        finish("monmaptool", "--create", "--fsid", cluster, "--addv", "a", "[v2:127.0.0.1:" + monitorPort + "/0]", path("monmap").toString());
        finish("ceph-mon", "-i", "a", "--mkfs", "--monmap", path("monmap").toString());
        start("monitor", "ceph-mon", "-i", "a", "-f");
        finish("ceph", "--connect-timeout", "120", "osd", "new", disk);
        finish("ceph-osd", "-i", "0", "--osd-uuid", disk, "--mkfs");
        start("storage", "ceph-osd", "-i", "0", "-f");
    }

    /** Without authentication between its parts, without redundancy, and without what it does in the background on its own. */
    private String text(String cluster, int monitorPort) {
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
                """.formatted(cluster, monitorPort, path("run"), path("crash"), path("mon"), path("osd"));
    }

    /** The file that tells its programs, and others', where it is. */
    public Path configuration() {
        return path("ceph.conf");
    }

    void configure(String lines) throws IOException {
        Files.writeString(configuration(), lines, StandardOpenOption.APPEND);
    }

    /** Runs one of Ceph's programs to its end, which must be a good one. */
    public void finish(String program, String... arguments) throws IOException, InterruptedException {
        processes.finish(program, command(program, arguments));
    }

    void start(String name, String program, String... arguments) throws IOException {
        processes.start(name, command(program, arguments));
    }

    private List<String> command(String program, String... arguments) {
        List<String> command = new ArrayList<>(List.of("/usr/bin/" + program));
        if (!program.equals("monmaptool")) {
            command.addAll(List.of("-c", configuration().toString()));
        }
        command.addAll(List.of(arguments));
        return command;
    }

    ServerProcesses processes() {
        return processes;
    }

    Path path(String name) {
        return processes.path(name);
    }

    @Override
    public void close() throws IOException {
        processes.close();
    }
}
