package io.afterimage.lab;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The ground that the other integration tests stand on. */
class GuestIT {
    private static final long ODD_SIZE = 20_000_256;

    @TempDir
    Path folder;

    @Test
    void runsCommandsAndEndsByItsPowerButton() throws IOException {
        try (Guest guest = Guest.tiny(folder).start().awaitReady()) {
            assertEquals("web\n", guest.run("hostname"));
            assertEquals(3, guest.tryRun("echo no >&2; exit 3").exit());
            assertEquals("no\n", guest.tryRun("echo no >&2; exit 3").text());
            assertEquals("running", guest.status());
            guest.run("diary hello from a test");
            assertTrue(guest.run("describe").contains("hello from a test"));
            guest.powerOff();
            assertFalse(guest.isAlive());
        }
    }

    @Test
    void theSameDiskBootsByItsFirmwareAndRemembers() throws IOException {
        try (Guest first = Guest.tiny(folder.resolve("a")).start().awaitReady()) {
            first.run("diary one");
            first.kill();
        }
        GuestDisk disk = GuestDisk.qcow2("root", folder.resolve("a/root.qcow2"));
        try (Guest second = Guest.in(folder.resolve("b")).disk(disk).start().awaitReady()) {
            String says = second.run("describe");
            assertTrue(says.contains("one"), says);
            assertTrue(says.contains("starts  2"), says);
        }
    }

    @Test
    void tortureChangesADataDiskUntilToldToStop() throws IOException {
        GuestDisk data = GuestDisk.empty("data", folder.resolve("data.qcow2"), ODD_SIZE);
        try (Guest guest = Guest.tiny(folder).disk(data).start().awaitReady()) {
            assertEquals(Long.toString(ODD_SIZE), guest.run("blockdev --getsize64 /dev/vdb").strip());
            guest.run("torture /dev/vdb --seed 7 > /run/torture.log 2>&1 & echo $! > /run/torture.pid");
            String before = guest.run("cat /sys/block/vdb/stat");
            Deadline.in(Duration.ofSeconds(30)).await(
                    () -> completed(guest.run("cat /sys/block/vdb/stat"), 4) > completed(before, 4) + 200,
                    () -> "torture does not write: " + guest.run("cat /run/torture.log"));
            guest.pause();
            assertEquals("paused", guest.status());
            guest.resume();
            guest.run("kill $(cat /run/torture.pid); while [ -e /proc/$(cat /run/torture.pid) ]; do usleep 20000; done");
            String log = guest.run("cat /run/torture.log");
            assertTrue(log.matches("(?s)torture: \\d+ writes .* discards, .* zero-outs, .* flushes\n"), log);
            guest.quit();
        }
        assertEquals(0, Tool.run("qemu-img", "check", "-q", data.file().toString()).exit());
    }

    @Test
    void qmpShowsNodesEventsAndRefusals() throws IOException {
        try (Guest guest = Guest.tiny(folder).start().awaitReady()) {
            String nodes = guest.qmp().execute("query-named-block-nodes", "{\"flat\":true}").toString();
            assertTrue(nodes.contains("\"root\"") && nodes.contains("\"root-file\""), nodes);
            assertThrows(Qmp.Refused.class, () -> guest.qmp().execute("no-such-command"));
            guest.pause();
            assertEquals("STOP", guest.qmp().awaitEvent("STOP", Duration.ofSeconds(10)).path("event").asString());
            assertTrue(Files.exists(guest.qmpSocket()));
        }
    }

    @Test
    void aMachineThatCannotStartSaysWhy() {
        GuestPlan plan = Guest.in(folder).options("-device", "no-such-device");
        Exception failure = assertThrows(Exception.class, plan::start);
        assertTrue(failure.getMessage().contains("no-such-device"), failure.getMessage());
    }

    /** A field of /sys/block/DISK/stat, counted from 0; 4 is the number of writes completed. */
    private static long completed(String stat, int field) {
        return Long.parseLong(stat.strip().split("\\s+", -1)[field]);
    }
}
