package io.afterimage.command;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.afterimage.lab.Deadline;
import io.afterimage.lab.Guest;
import io.afterimage.lab.GuestDisk;
import io.afterimage.lab.Tool;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.time.Instant;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;

/** Backup trees: one base image, machines launched from it, and points of theirs that begin with what they changed. */
class TreeIT {

    private static final long SIZE = 16L << 20;
    private static final int CHUNK = 65536;

    @TempDir
    private Path folder;

    private Program afterimage;
    private Path base;
    private String basePoint;

    @BeforeEach
    void storeTheBase() {
        afterimage = new Program(folder);
        afterimage.run("init").orFail();
        base = folder.resolve("base.qcow2");
        Path raw = folder.resolve("base.raw");
        Tool.run("dd", "if=/dev/urandom", "of=" + raw, "bs=" + CHUNK, "count=160").orFail();
        Tool.run("truncate", "--size=" + SIZE, raw.toString()).orFail();
        Tool.run("qemu-img", "convert", "-f", "raw", "-O", "qcow2", raw.toString(), base.toString()).orFail();
        awaitSettled(base);
        JsonNode point = afterimage.run("backup", "debian", "--image", "disk=" + base, "--json").json();
        assertEquals("full", point.path("kind").asString());
        basePoint = point.path("point").asString();
    }

    /** What has been written to a moment ago is not taken for proven. */
    private static void awaitSettled(Path file) {
        Deadline.in(Duration.ofSeconds(30)).await(() -> {
            try {
                FileTime changed = (FileTime) Files.getAttribute(file, "unix:ctime");
                return changed.toInstant().plusSeconds(3).isBefore(Instant.now());
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }, () -> file + " changes all the time");
    }

    private Path overlay(String name, Path below, String... writes) {
        Path overlay = folder.resolve(name);
        Tool.run("qemu-img", "create", "-q", "-f", "qcow2", "-b", below.toString(), "-F", "qcow2", overlay.toString()).orFail();
        write(overlay, writes);
        return overlay;
    }

    private static void write(Path image, String... commands) {
        for (String command : commands) {
            Tool.run("qemu-io", "-f", "qcow2", "-c", command, image.toString()).orFail();
        }
    }

    @Test
    void aStoppedMachineStartsAsAnIncrementOfItsBase() {
        // A write, zeros over data, a discard, and zeros where there were none.
        Path image = overlay("web.qcow2", base, "write -P 7 1M 128k", "write -z 2M 64k", "discard 3M 64k", "write -z 12M 64k");
        JsonNode point = backUp("web", image);
        assertEquals("incremental", point.path("kind").asString());
        assertEquals(basePoint, point.path("parent").asString());
        assertEquals("debian", point.path("base").path("machine").asString());
        assertEquals("disk", point.path("base").path("disks").path("vda").asString());
        assertEquals(2 * CHUNK, point.path("bytes").path("read").asLong(), point.toString());
        assertExact("web", image);

        // The base may go: no point needs another one.
        afterimage.run("forget", "debian@" + basePoint).orFail();
        afterimage.run("gc", "--grace", "0").orFail();
        afterimage.run("verify").orFail();
        assertExact("web", image);
        assertTrue(afterimage.run("show", "web").orFail().out().contains("debian"));
    }

    @Test
    void overlaysOnOverlaysAndALargerDiskAreIncrementsToo() {
        Path middle = overlay("middle.qcow2", base, "write -P 3 256k 64k");
        Path image = folder.resolve("top.qcow2");
        Tool.run("qemu-img", "create", "-q", "-f", "qcow2", "-b", middle.toString(), "-F", "qcow2", image.toString(), Long.toString(SIZE + (1 << 20)))
                .orFail();
        write(image, "write -P 4 512k 64k", "write -P 5 " + SIZE + " 64k");
        JsonNode point = backUp("web", image);
        assertEquals("bitmap", point.path("disks").path(0).path("change").asString(), point.toString());
        assertEquals(3 * CHUNK, point.path("bytes").path("read").asLong(), point.toString());
        assertExact("web", image);
    }

    @Test
    void anImageThatIsNotTheBaseIsComparedWhole() {
        Path other = folder.resolve("other.qcow2");
        Tool.run("cp", base.toString(), other.toString()).orFail();
        write(other, "write -P 9 5M 64k");
        Path image = overlay("web.qcow2", other, "write -P 7 1M 128k");
        JsonNode point = backUp("web", image);
        assertEquals("whole", point.path("disks").path(0).path("change").asString(), point.toString());
        assertTrue(point.path("disks").path(0).path("reason").asString().contains("base image"), point.toString());
        assertEquals(basePoint, point.path("parent").asString());
        assertTrue(point.path("bytes").path("stored").asLong() < 2 * CHUNK, point.toString());
        assertExact("web", image);
    }

    /** As on another host: the first machine proves the file by having it read, once. */
    @Test
    void aCopyOfTheBaseProvesItselfByItsContent() throws IOException {
        Path copy = folder.resolve("copy.qcow2");
        Tool.run("cp", base.toString(), copy.toString()).orFail();
        Path image = overlay("web.qcow2", copy, "write -P 7 1M 128k");
        assertEquals("bitmap", backUp("web", image).path("disks").path(0).path("change").asString());
        assertExact("web", image);
        // And a base that was written to since it was seen does not.
        write(base, "write -P 9 5M 64k");
        Path late = overlay("late.qcow2", base);
        assertEquals("whole", backUp("late", late).path("disks").path(0).path("change").asString());
        assertExact("late", late);
    }

    @Test
    void aFullCopyOfTheBaseIsStoredOnceOnly() {
        Path copy = folder.resolve("copy.qcow2");
        Tool.run("cp", base.toString(), copy.toString()).orFail();
        write(copy, "write -P 7 1M 64k");
        JsonNode point = afterimage.run("backup", "web", "--image", "vda=" + copy, "--json").json();
        assertEquals("full", point.path("kind").asString());
        assertTrue(point.path("bytes").path("stored").asLong() < CHUNK, point.toString());
        assertExact("web", copy);
    }

    @Test
    void aRunningMachineStartsAsAnIncrementOfItsBase() throws IOException {
        Path image = overlay("web.qcow2", base, "write -P 7 1M 128k", "write -z 2M 64k");
        try (Guest guest = Guest.in(folder.resolve("g")).disk(GuestDisk.qcow2("vda", image)).options("-S").start()) {
            JsonNode point = afterimage.run("backup", "web", "--qmp", guest.qmpSocket().toString(), "--base", "debian", "--json").json();
            assertEquals("bitmap", point.path("disks").path(0).path("change").asString(), point.toString());
            assertEquals(basePoint, point.path("parent").asString());
            assertEquals(2 * CHUNK, point.path("bytes").path("read").asLong(), point.toString());
            assertTrue(point.path("bytes").path("stored").asLong() < 2 * CHUNK, point.toString());
            JsonNode second = afterimage.run("backup", "web", "--qmp", guest.qmpSocket().toString(), "--base", "debian", "--json").json();
            assertEquals(point.path("point").asString(), second.path("parent").asString());
            assertEquals(0, second.path("bytes").path("read").asLong(), second.toString());
            guest.quit();
        }
        assertExact("web", image);
    }

    /** The image comes with the checkpoint of the point that it was restored from. */
    @Test
    void aRestoredMachineContinuesItsPointsTree() throws IOException {
        Path image = folder.resolve("web.qcow2");
        afterimage.run("restore", "debian", "--to", image.toString()).orFail();
        Tool.run("qemu-img", "compare", "-f", "qcow2", "-F", "qcow2", image.toString(), base.toString()).orFail();
        write(image, "write -P 7 1M 64k");
        JsonNode first = backUp("web", image);
        assertEquals(basePoint, first.path("parent").asString());
        assertEquals(CHUNK, first.path("bytes").path("read").asLong(), first.toString());
        assertExact("web", image);

        // It is started, and stopped, and its image goes on telling what has changed.
        try (Guest guest = Guest.in(folder.resolve("g")).disk(GuestDisk.qcow2("vda", image)).options("-S").start()) {
            guest.qmp().monitor("qemu-io -d /machine/peripheral/dev-vda/virtio-backend \"write -P 8 2M 64k\"");
            JsonNode running = afterimage.run("backup", "web", "--qmp", guest.qmpSocket().toString(), "--json").json();
            assertEquals(first.path("point").asString(), running.path("parent").asString());
            assertEquals(CHUNK, running.path("bytes").path("read").asLong(), running.toString());
            guest.qmp().monitor("qemu-io -d /machine/peripheral/dev-vda/virtio-backend \"write -z 2M 64k\"");
            Program.Result inUse = afterimage.run("backup", "web", "--image", "vda=" + image);
            assertEquals(ExitCode.SOURCE.number(), inUse.exit());
            assertTrue(inUse.err().contains("in use by a running machine"), inUse.err());
            guest.quit();
        }
        JsonNode stopped = backUp("web", image);
        assertEquals("bitmap", stopped.path("disks").path(0).path("change").asString(), stopped.toString());
        assertEquals(CHUNK, stopped.path("bytes").path("dirty").asLong(), stopped.toString());
        assertExact("web", image);
        String described = Tool.run("qemu-img", "info", image.toString()).orFail().text();
        assertTrue(described.contains(stopped.path("point").asString()) && !described.contains(first.path("point").asString()), described);
    }

    @Test
    void aTreeIsCopiedAsATree() {
        Path image = overlay("web.qcow2", base, "write -P 7 1M 128k", "write -z 2M 64k");
        backUp("web", image);
        Program other = afterimage.on(folder.resolve("second"));
        other.run("init").orFail();
        afterimage.run("copy", "--to", other.repository().toString(), "debian").orFail();
        afterimage.run("copy", "--to", other.repository().toString(), "web").orFail();
        JsonNode copied = other.run("show", "web", "--json").json();
        assertEquals(basePoint, copied.path("parent").asString(), copied.toString());
        assertEquals(2 * CHUNK, copied.path("bytes").path("read").asLong(), copied.toString());
        assertExact(other, "web", image);
    }

    private JsonNode backUp(String machine, Path image) {
        return afterimage.run("backup", machine, "--image", "vda=qcow2:" + image, "--base", "debian", "--json").json();
    }

    private void assertExact(String machine, Path image) {
        assertExact(afterimage, machine, image);
    }

    private void assertExact(Program program, String machine, Path image) {
        Path restored = folder.resolve("restored.raw");
        program.run("restore", machine, "--to", restored.toString(), "--force").orFail();
        Tool.run("qemu-img", "compare", "-f", "raw", "-F", "qcow2", restored.toString(), image.toString()).orFail();
    }
}
