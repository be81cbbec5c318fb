package io.afterimage.capture.qemu;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** The ways in which a disk can be wired to a machine, with a guest that writes all the time. */
class CutDisksIT {

    private static final String REPOSITORY = "0a1b2c3d";
    private static final int CHUNK = 64 << 10;

    @TempDir
    Path folder;

    @BeforeEach
    void makeDisk() throws IOException {
        WritingGuest.makeDisk(disk());
    }

    private Path disk() {
        return folder.resolve("disk.raw");
    }

    private static CutPlan plan(QmpClient client, Path scratch, int point, Optional<CutPlan.Base> base) throws IOException {
        QemuDisk disk = QemuMachine.inspect(client).disks().getFirst();
        return new CutPlan(
                new Checkpoint(REPOSITORY, TwoDiskMachine.point(point)), List.of(new CutPlan.Disk(disk, base)), scratch, 0, CHUNK);
    }

    static List<Arguments> wirings() {
        String raw = "driver=raw,file.driver=file,file.filename=";
        return List.of(
                Arguments.of("a node without a name", List.of("-drive", "if=virtio,format=raw,file=DISK")),
                Arguments.of("filters in front", List.of(
                        "-object", "throttle-group,id=limit,x-iops-total=100000",
                        "-blockdev", "node-name=disk," + raw + "DISK",
                        "-blockdev", "driver=throttle,node-name=slow,throttle-group=limit,file=disk",
                        "-blockdev", "driver=copy-on-read,node-name=cor,file=slow",
                        "-device", "virtio-blk-pci,drive=cor")),
                Arguments.of("no format layer", List.of(
                        "-blockdev", "driver=file,node-name=disk,filename=DISK", "-device", "virtio-blk-pci,drive=disk")));
    }

    /** What was, with the chunks that QEMU calls dirty taken from the view, is the view; however the guest writes meanwhile. */
    @ParameterizedTest(name = "{0}")
    @MethodSource("wirings")
    void incrementsAddUpUnderAWritingGuest(String wiring, List<String> arguments) throws Exception {
        List<String> wired = arguments.stream().map(argument -> argument.replace("DISK", disk().toString())).toList();
        try (BareQemu qemu = BareQemu.start(folder, wired); QmpClient client = QmpClient.connect(qemu.qmp())) {
            Path scratch = folder.resolve("scratch");
            byte[] known;
            try (Cut cut = Cut.begin(client, plan(client, scratch, 1, Optional.empty()))) {
                WritingGuest.awaitWrites(qemu, 20);
                known = View.read(cut.disks().getFirst());
                cut.committing();
                assertEquals(List.of(), cut.end(Cut.Outcome.COMMITTED), wiring);
            }
            for (int point = 2; point <= 4; point++) {
                String name = QemuMachine.inspect(client).disks().getFirst().name();
                var base = Optional.of(new CutPlan.Base(TwoDiskMachine.point(point - 1), name, WritingGuest.DISK_SIZE));
                WritingGuest.awaitWrites(qemu, 100);
                try (Cut cut = Cut.begin(client, plan(client, scratch, point, base))) {
                    WritingGuest.awaitWrites(qemu, 20);
                    byte[] view = View.read(cut.disks().getFirst());
                    for (long chunk : View.dirtyChunks(cut.disks().getFirst())) {
                        System.arraycopy(view, (int) chunk, known, (int) chunk, CHUNK);
                    }
                    assertArrayEquals(view, known);
                    cut.committing();
                    assertEquals(List.of(), cut.end(Cut.Outcome.COMMITTED), wiring);
                }
            }
            assertEquals(List.of(), qemu.traces());
            assertEquals("running", qemu.status());
        }
    }

    /** In QEMUs that would abort when the reader leaves; where they do not, such disks are like others. */
    @ParameterizedTest
    @MethodSource("ioThreads")
    void aDiskInAnIoThreadIsRefusedWhereReadingItKillsTheMachine(List<String> devices) throws Exception {
        var arguments = new ArrayList<>(List.of(
                "-object", "iothread,id=io", "-blockdev", "driver=raw,node-name=disk,file.driver=file,file.filename=" + disk()));
        arguments.addAll(devices);
        try (BareQemu qemu = BareQemu.start(folder, arguments); QmpClient client = QmpClient.connect(qemu.qmp())) {
            WritingGuest.awaitWrites(qemu, 20);
            CutPlan plan = plan(client, folder.resolve("scratch"), 1, Optional.empty());
            if (client.execute("query-version").path("qemu").path("major").asInt() < 9) {
                String message = assertThrows(QmpException.class, () -> Cut.begin(client, plan)).getMessage();
                assertTrue(message.startsWith("Disk disk is handled by an I/O thread"), message);
            } else {
                try (Cut cut = Cut.begin(client, plan)) {
                    assertEquals(WritingGuest.DISK_SIZE, View.read(cut.disks().getFirst()).length);
                }
            }
            WritingGuest.awaitWrites(qemu, 20);
            assertEquals(List.of(), qemu.traces());
            assertEquals(List.of(), qemu.bitmaps("disk"));
        }
    }

    static List<List<String>> ioThreads() {
        return List.of(
                List.of("-device", "virtio-blk-pci,drive=disk,iothread=io"),
                List.of("-device", "virtio-scsi-pci,id=scsi,iothread=io", "-device", "scsi-hd,drive=disk,bus=scsi.0,id=hd1"));
    }

    /** The point is the very instant: a copy taken while the guest stood still. */
    @Test
    void theViewEqualsACopyTakenAtTheCut() throws Exception {
        try (BareQemu qemu = BareQemu.start(folder, BareQemu.disk("disk", "raw", disk()));
                QmpClient client = QmpClient.connect(qemu.qmp())) {
            WritingGuest.awaitWrites(qemu, 100);
            qemu.control().execute("stop");
            byte[] reference = Files.readAllBytes(disk());
            try (Cut cut = Cut.begin(client, plan(client, folder.resolve("scratch"), 1, Optional.empty()))) {
                qemu.control().execute("cont");
                WritingGuest.awaitWrites(qemu, 200);
                assertArrayEquals(reference, View.read(cut.disks().getFirst()));
            }
        }
    }

    @Test
    void aQemuOfAnotherUserGetsAFolderOfItsOwn() throws Exception {
        assumeTrue("root".equals(System.getProperty("user.name")), "SKIPPED: only root can start QEMU as another user");
        var users = folder.getFileSystem().getUserPrincipalLookupService();
        for (Path path : List.of(folder, disk())) {
            Files.setOwner(path, users.lookupPrincipalByName("nobody"));
        }
        Path scratch = Files.createTempDirectory(Path.of("/tmp"), "afterimage-scratch");
        try (BareQemu qemu = BareQemu.start(
                        folder,
                        List.of("setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups"),
                        new ArrayList<>(BareQemu.disk("disk", "raw", disk())));
                QmpClient client = QmpClient.connect(qemu.qmp())) {
            Program.run("chmod", "755", scratch.toString());
            try (Cut cut = Cut.begin(client, plan(client, scratch, 1, Optional.empty()))) {
                try (var made = Files.list(scratch)) {
                    assertEquals("nobody", Files.getOwner(made.findFirst().orElseThrow()).getName());
                }
                assertEquals(WritingGuest.DISK_SIZE, View.read(cut.disks().getFirst()).length);
                cut.committing();
                assertEquals(List.of(), cut.end(Cut.Outcome.COMMITTED));
            }
            assertEquals(List.of(), qemu.traces());
        } finally {
            Files.delete(scratch);
        }
    }

    @Test
    void aSelectionOfDisksLeavesTheCheckpointsOfOthersAlone() throws Exception {
        try (var machine = new TwoDiskMachine(folder.resolve("two"))) {
            machine.backUp(1, Map.of());
            try (QmpClient client = machine.connect()) {
                QemuDisk logs = QemuMachine.inspect(client, List.of("logs"), Map.of()).disks().getFirst();
                var plan = new CutPlan(
                        new Checkpoint(REPOSITORY, TwoDiskMachine.point(2)),
                        List.of(new CutPlan.Disk(logs, Optional.of(TwoDiskMachine.since(1).get("logs")))),
                        machine.scratch());
                try (Cut cut = Cut.begin(client, plan)) {
                    cut.committing();
                    assertEquals(List.of(), cut.end(Cut.Outcome.COMMITTED));
                }
            }
            assertEquals(List.of(TwoDiskMachine.bitmap(1, "data")), machine.qemu().bitmaps("data"));
            assertEquals(List.of(TwoDiskMachine.bitmap(2, "logs")), machine.qemu().bitmaps("logs"));
        }
    }
}
