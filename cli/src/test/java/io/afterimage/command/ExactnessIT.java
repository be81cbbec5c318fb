package io.afterimage.command;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.afterimage.lab.Deadline;
import io.afterimage.lab.Guest;
import io.afterimage.lab.GuestDisk;
import io.afterimage.lab.Tool;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.DigestInputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * A guest that writes at full speed, a full backup and eight increments, each compared with a copy of the disks that was taken
 * while the guest stood still, at the very instant of the point. Two disks: qcow2 and raw, of sizes that are no multiple of a chunk.
 */
class ExactnessIT {

    private static final long QCOW2_SIZE = 200_000_000 / 512 * 512;
    private static final long RAW_SIZE = 90_000_384;
    private static final int INCREMENTS = 8;
    private static final int CHUNK = 65536;

    @TempDir
    Path folder;

    @Test
    void everyPointOfARestlessGuestIsExact() throws Exception {
        Program afterimage = new Program(folder);
        afterimage.run("init").orFail();
        Path raw = folder.resolve("logs.raw");
        Tool.run("truncate", "--size=" + RAW_SIZE, raw.toString()).orFail();
        List<String> points = new ArrayList<>();
        try (Guest guest = Guest.tiny(folder.resolve("g"))
                .disk(GuestDisk.empty("data", folder.resolve("data.qcow2"), QCOW2_SIZE))
                .disk(GuestDisk.raw("logs", raw))
                .start()
                .awaitReady()) {
            for (int i = 0; i <= INCREMENTS; i++) {
                torture(guest, "/dev/vdb", 100 + i);
                torture(guest, "/dev/vdc", 200 + i);
                points.add(backUpWhileItGoesOn(afterimage, guest, i));
                guest.run("kill $(cat /run/torture.*.pid); rm /run/torture.*.pid");
            }
        }
        for (int i = 0; i <= INCREMENTS; i++) {
            assertExact(afterimage, points.get(i), "data", reference("data", i));
            assertExact(afterimage, points.get(i), "logs", reference("logs", i));
        }
        assertServedExactly(afterimage, points);
    }

    private static void torture(Guest guest, String device, int seed) {
        String name = device.substring(device.lastIndexOf('/') + 1);
        guest.run("torture " + device + " --seed " + seed + " > /run/torture." + name + ".log 2>&1 & echo $! > /run/torture."
                + name + ".pid");
        String before = guest.run("cat /sys/block/" + name + "/stat");
        Deadline.in(Duration.ofSeconds(60)).await(
                () -> writes(guest.run("cat /sys/block/" + name + "/stat")) > writes(before) + 100,
                () -> "torture does not write: " + guest.run("cat /run/torture." + name + ".log"));
    }

    private static long writes(String stat) {
        return Long.parseLong(stat.strip().split("\\s+", -1)[4]);
    }

    /** Stops the guest, copies its disks, begins the backup, and lets the guest go on as soon as the cut has been made. */
    private String backUpWhileItGoesOn(Program afterimage, Guest guest, int number) throws Exception {
        guest.pause();
        Tool.run("qemu-img", "convert", "-U", "-f", "qcow2", "-O", "raw", folder.resolve("data.qcow2").toString(),
                reference("data", number).toString()).orFail();
        Tool.run("cp", "--sparse=always", folder.resolve("logs.raw").toString(), reference("logs", number).toString()).orFail();
        long dirtyByQemu = number == 0 ? -1 : dirtyCount(guest, "data") + dirtyCount(guest, "logs");
        Path log = folder.resolve("backup" + number + ".log");
        Process backup = afterimage.start(log, "backup", "web", "--qmp", guest.qmpSocket().toString(),
                "--disk", "data", "--disk", "logs", "--json");
        Deadline.in(Duration.ofSeconds(60)).await(
                () -> !backup.isAlive() || hasCut(guest), () -> "the backup makes no cut");
        guest.resume();
        assertEquals(0, backup.waitFor(), () -> text(log));
        assertEquals("running", guest.status());
        JsonNode point = new JsonMapper().readTree(text(log).substring(text(log).indexOf('{')));
        if (number > 0) {
            assertCounters(point, dirtyByQemu);
        }
        return point.path("point").asString();
    }

    private static boolean hasCut(Guest guest) {
        return guest.qmp().execute("query-block-exports").size() == 2;
    }

    /** What QEMU itself counts in the checkpoint of the last point. */
    private static long dirtyCount(Guest guest, String node) {
        for (JsonNode each : guest.qmp().execute("query-named-block-nodes")) {
            if (each.path("node-name").asString().equals(node)) {
                long count = 0;
                for (JsonNode bitmap : each.path("dirty-bitmaps")) {
                    assertTrue(bitmap.path("recording").asBoolean(), bitmap.toString());
                    count += bitmap.path("count").asLong();
                }
                return count;
            }
        }
        throw new AssertionError("no node " + node);
    }

    private static void assertCounters(JsonNode point, long dirtyByQemu) {
        JsonNode bytes = point.path("bytes");
        for (JsonNode disk : point.path("disks")) {
            assertEquals("bitmap", disk.path("change").asString(), point.toString());
        }
        long dirty = bytes.path("dirty").asLong();
        // QEMU counts whole granules, also where the disk ends within one.
        assertTrue(dirty <= dirtyByQemu && dirty > dirtyByQemu - 2 * CHUNK, dirty + " is not QEMU's " + dirtyByQemu);
        long read = bytes.path("read").asLong();
        assertTrue(read <= dirty, "read " + read + " of " + dirty);
        long fresh = read - bytes.path("deduplicated").asLong();
        assertTrue(bytes.path("stored").asLong() <= fresh * 1.02 + 1024, bytes.toString());
    }

    private Path reference(String disk, int number) {
        return folder.resolve("reference-" + disk + number + ".raw");
    }

    private void assertExact(Program afterimage, String point, String disk, Path reference) throws Exception {
        Path restored = folder.resolve("restored.raw");
        afterimage.run("restore", "web/" + disk + "@" + point, "--to", restored.toString(), "--force").orFail();
        Tool.run("qemu-img", "compare", "-f", "raw", "-F", "raw", reference.toString(), restored.toString()).orFail();
        assertEquals(sha256(reference), sha256(restored), disk + " at " + point);
    }

    private void assertServedExactly(Program afterimage, List<String> points) throws Exception {
        Path socket = folder.resolve("nbd.sock");
        Process server = afterimage.start(folder.resolve("serve.log"), "serve", "--nbd", "unix:" + socket);
        try {
            Deadline.in(Duration.ofSeconds(30)).await(() -> Files.exists(socket), () -> text(folder.resolve("serve.log")));
            for (int i = 0; i < points.size(); i++) {
                String uri = "nbd+unix:///web/data@" + points.get(i) + "?socket=" + socket;
                Tool.run("qemu-img", "compare", "-f", "raw", "-F", "raw", reference("data", i).toString(), uri).orFail();
                Path copied = folder.resolve("copied.raw");
                Tool.run("nbdcopy", uri, copied.toString()).orFail();
                assertEquals(sha256(reference("data", i)), sha256(copied));
            }
        } finally {
            server.destroy();
            server.waitFor();
        }
    }

    private static String sha256(Path file) throws IOException, NoSuchAlgorithmException {
        MessageDigest digest = MessageDigest.getInstance("SHA-256");
        try (InputStream in = new DigestInputStream(Files.newInputStream(file), digest)) {
            in.transferTo(OutputStream.nullOutputStream());
        }
        return HexFormat.of().formatHex(digest.digest());
    }

    private static String text(Path log) {
        try {
            return Files.exists(log) ? Files.readString(log) : "";
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
