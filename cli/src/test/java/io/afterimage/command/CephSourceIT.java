package io.afterimage.command;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.afterimage.lab.Deadline;
import io.afterimage.lab.Tool;
import io.afterimage.store.s3.CephCluster;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;

/** A volume of Ceph's, as the documentation says: snapshots of it, by way of qemu-nbd. */
class CephSourceIT {

    private static final Duration PATIENCE = Duration.ofMinutes(1);
    private static final long SIZE = 64L << 20;

    @TempDir
    Path folder;

    @Test
    void snapshotsOfAVolumeAreStoredAsIncrementsAndHolesAreNotRead() throws IOException, InterruptedException {
        String drivers = Tool.run("qemu-img", "--help").text();
        assertTrue(drivers.contains(" rbd"), () -> "QEMU does not speak to Ceph, apt-get install qemu-block-extra: " + drivers);
        Program afterimage = new Program(folder);
        afterimage.run("init").orFail();
        try (CephCluster ceph = CephCluster.start()) {
            ceph.finish("ceph", "osd", "pool", "create", "vms");
            ceph.finish("rbd", "pool", "init", "vms");
            ceph.finish("rbd", "create", "--size", SIZE + "B", "vms/web");
            write(ceph, "write -P 1 1M 6M", "write -P 2 40M 64k");
            JsonNode first = backUp(afterimage, ceph, "one");
            assertEquals("whole", first.path("disks").path(0).path("change").asString(), first::toString);
            long read = first.path("disks").path(0).path("bytes").path("read").asLong();
            assertTrue(read > 0 && read < SIZE / 2, first::toString);

            write(ceph, "write -P 3 3M 128k", "discard 40M 4M");
            JsonNode second = backUp(afterimage, ceph, "two");
            assertEquals("incremental", second.path("kind").asString(), second::toString);
            for (String snapshot : List.of("one", "two")) {
                Path exported = folder.resolve(snapshot + ".raw");
                ceph.finish("rbd", "export", "vms/web@" + snapshot, exported.toString());
                String point = (snapshot.equals("one") ? first : second).path("point").asString();
                Path restored = folder.resolve(snapshot + ".restored");
                afterimage.run("restore", "web@" + point, "--to", restored.toString()).orFail();
                Tool.run("cmp", exported.toString(), restored.toString()).orFail();
            }
        }
    }

    private static void write(CephCluster ceph, String... commands) {
        for (String command : commands) {
            Tool.run("qemu-io", "-f", "raw", "-c", command, "rbd:vms/web:conf=" + ceph.configuration()).orFail();
        }
    }

    private JsonNode backUp(Program afterimage, CephCluster ceph, String snapshot) throws IOException, InterruptedException {
        ceph.finish("rbd", "snap", "create", "vms/web@" + snapshot);
        Path socket = folder.resolve(snapshot + ".sock");
        Process server = Tool.start(List.of("qemu-nbd", "-r", "-t", "-k", socket.toString(), "-f", "raw",
                "rbd:vms/web@" + snapshot + ":conf=" + ceph.configuration()), folder.resolve("qemu-nbd.log"));
        try {
            Deadline.in(PATIENCE).await(() -> Files.exists(socket) || !server.isAlive(), () -> "qemu-nbd does not come up");
            return afterimage.run("backup", "web", "--json", "--image", "vda=nbd+unix:///?socket=" + socket).json();
        } finally {
            server.destroyForcibly().waitFor();
        }
    }
}
