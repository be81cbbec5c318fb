package io.afterimage.capture.qemu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A guest that overwrites more than the scratch can keep must not suffer by it. */
class ScratchFullIT {

    private static final int SCRATCH_SIZE = 12 << 20;
    private static final Checkpoint CHECKPOINT = new Checkpoint("0a1b2c3d", "1".repeat(32));

    @TempDir
    Path folder;

    private Path scratch;
    private boolean mounted;

    @BeforeEach
    void mountSmallScratch() throws IOException, InterruptedException {
        assumeTrue("root".equals(System.getProperty("user.name")), "SKIPPED: only root can mount the small file system for scratch");
        scratch = Files.createDirectory(folder.resolve("small"));
        Program.run("mount", "-t", "tmpfs", "-o", "size=" + SCRATCH_SIZE, "tmpfs", scratch.toString());
        mounted = true;
        WritingGuest.makeDisk(folder.resolve("disk.raw"));
    }

    @AfterEach
    void unmount() throws IOException, InterruptedException {
        if (mounted) {
            Program.run("umount", scratch.toString());
        }
    }

    private Cut cut(QmpClient client, long reserve) throws IOException {
        QemuDisk disk = QemuMachine.inspect(client).disks().getFirst();
        return Cut.begin(client, new CutPlan(
                CHECKPOINT, List.of(new CutPlan.Disk(disk, Optional.empty())), scratch, reserve, CutPlan.DEFAULT_GRANULARITY));
    }

    private static String awaitLoss(QmpClient client, Cut cut) throws IOException {
        var loss = new String[] {""};
        client.awaitState("run out of scratch", Duration.ofSeconds(60), () -> {
            try {
                cut.requireIntact();
                return false;
            } catch (QmpException e) {
                loss[0] = e.getMessage();
                return true;
            }
        });
        return loss[0];
    }

    private void assertUnharmed(BareQemu qemu) throws IOException {
        assertEquals("running", qemu.status());
        WritingGuest.awaitWrites(qemu, 100);
        assertEquals(List.of(), qemu.traces());
        assertEquals(List.of(), qemu.bitmaps("disk"));
        try (var left = Files.list(scratch)) {
            assertEquals(List.of(), left.toList());
        }
    }

    @Test
    void aGuestThatWasStoppedGoesOn() throws Exception {
        try (BareQemu qemu = BareQemu.start(folder, BareQemu.disk("disk", "raw", folder.resolve("disk.raw")));
                QmpClient client = QmpClient.connect(qemu.qmp());
                QmpEvents events = qemu.control().subscribe(event -> event.name().equals("BLOCK_IO_ERROR"))) {
            WritingGuest.awaitWrites(qemu, 10);
            try (Cut cut = cut(client, 0)) {
                QmpEvent stopped = events.await("a write without space", event -> true, Duration.ofSeconds(60));
                assertEquals("stop", stopped.text("action"));
                String loss = awaitLoss(client, cut);
                assertTrue(loss.contains("was stopped by it; it goes on now"), loss);
                assertThrows(QmpException.class, cut::committing);
            }
            assertUnharmed(qemu);
        }
    }

    @Test
    void theReserveEndsTheBackupBeforeTheGuestNotices() throws Exception {
        List<String> slowDisk = List.of(
                "-object", "throttle-group,id=limit,x-bps-write=4194304",
                "-blockdev", "driver=raw,node-name=disk,file.driver=file,file.filename=" + folder.resolve("disk.raw"),
                "-blockdev", "driver=throttle,node-name=slow,throttle-group=limit,file=disk",
                "-device", "virtio-blk-pci,drive=slow,id=dev-disk");
        try (BareQemu qemu = BareQemu.start(folder, slowDisk);
                QmpClient client = QmpClient.connect(qemu.qmp());
                QmpEvents events = qemu.control().subscribe(event -> event.name().equals("BLOCK_IO_ERROR"))) {
            WritingGuest.awaitWrites(qemu, 10);
            try (Cut cut = cut(client, 6 << 20)) {
                String loss = awaitLoss(client, cut);
                assertTrue(loss.contains("is running out"), loss);
            }
            assertUnharmed(qemu);
            assertEquals(Optional.empty(), events.poll(Duration.ZERO));
        }
    }

    @Test
    void tooLittleSpaceIsSaidBeforeAnythingIsDone() throws Exception {
        try (BareQemu qemu = BareQemu.start(folder, BareQemu.disk("disk", "raw", folder.resolve("disk.raw")));
                QmpClient client = QmpClient.connect(qemu.qmp())) {
            String message = assertThrows(QmpException.class, () -> cut(client, 1L << 30)).getMessage();
            assertTrue(message.contains("are kept in reserve for the guest"), message);
            assertUnharmed(qemu);
        }
    }

    /** The backup was killed, so was its watchdog, the scratch filled, the guest stands: the next backup brings it back. */
    @Test
    void aGuestThatADeadBackupStoppedGoesOn() throws Exception {
        try (BareQemu qemu = BareQemu.start(folder, BareQemu.disk("disk", "raw", folder.resolve("disk.raw")))) {
            WritingGuest.awaitWrites(qemu, 10);
            try (var backup = BackupProcess.start(qemu.qmp(), scratch, CHECKPOINT, Map.of(), BackupProcess.Phase.EXPORTED)) {
                backup.killWithWatchdog();
            }
            qemu.control().awaitState("stop the guest", Duration.ofSeconds(60), () -> qemu.status().equals("io-error"));
            try (QmpClient next = QmpClient.connect(qemu.qmp())) {
                assertEquals(List.of(), Strays.remove(next, scratch, CHECKPOINT.repository(), point -> false));
            }
            assertUnharmed(qemu);
        }
    }
}
