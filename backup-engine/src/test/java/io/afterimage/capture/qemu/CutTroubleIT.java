package io.afterimage.capture.qemu;

import static io.afterimage.capture.qemu.TwoDiskMachine.DATA_SIZE;
import static io.afterimage.capture.qemu.TwoDiskMachine.REPOSITORY;
import static io.afterimage.capture.qemu.TwoDiskMachine.bitmap;
import static io.afterimage.capture.qemu.TwoDiskMachine.point;
import static io.afterimage.capture.qemu.TwoDiskMachine.since;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.Writer;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.node.ObjectNode;

/** What users, other programs and power cuts do between and during backups of a machine that has one point already. */
class CutTroubleIT {

    @TempDir
    Path folder;

    private TwoDiskMachine machine;
    private QmpClient client;

    @BeforeEach
    void startMachineWithOnePoint() throws IOException, InterruptedException {
        machine = new TwoDiskMachine(folder);
        machine.data.write(0, 1 << 20, 0x11);
        machine.backUp(1, Map.of());
        client = machine.connect();
    }

    @AfterEach
    void stopMachine() {
        client.close();
        machine.close();
    }

    private static String whyWhole(CutDisk disk) {
        return assertInstanceOf(Changes.Unknown.class, disk.changes()).reason();
    }

    private static void commit(Cut cut) throws IOException {
        cut.committing();
        assertEquals(List.of(), cut.end(Cut.Outcome.COMMITTED));
    }

    private void addBitmap(String node, String name) throws IOException {
        machine.qemu().control().execute("block-dirty-bitmap-add", QmpClient.arguments().put("node", node).put("name", name));
    }

    @Test
    void aResizedDiskIsReadWholeBesideOneThatIsNot() throws Exception {
        int grown = DATA_SIZE + (1 << 20);
        machine.qemu().control().execute("block_resize", QmpClient.arguments().put("node-name", "data").put("size", grown));
        machine.logs.write(0, 512, 0x22);
        try (Cut cut = machine.cut(client, 2, since(1))) {
            assertEquals("it was resized from " + DATA_SIZE + " to " + grown + " bytes", whyWhole(cut.disks().get(0)));
            assertEquals(grown, View.read(cut.disks().get(0)).length);
            assertEquals(Set.of(0L), View.dirtyChunks(cut.disks().get(1)));
            commit(cut);
        }
        machine.assertClean(2);
    }

    @Test
    void aCleanRestartKeepsTheCheckpointWhereTheFormatCan() throws Exception {
        machine.data.write(1 << 20, 512, 0x22);
        client.close();
        machine.qemu().quit();
        machine.boot();
        client = machine.connect();
        machine.data.write(2 << 20, 512, 0x33);
        try (Cut cut = machine.cut(client, 2, since(1))) {
            assertEquals(machine.data.takeTouched(), View.dirtyChunks(cut.disks().get(0)));
            assertArrayEquals(machine.data.content(), View.read(cut.disks().get(0)));
            assertTrue(whyWhole(cut.disks().get(1)).startsWith("QEMU has no checkpoint of point " + point(1)));
            commit(cut);
        }
        machine.assertClean(2);
    }

    /** A power cut: QEMU finds a bitmap that it had loaded before inconsistent, and one that was never stored missing. */
    @Test
    void afterAPowerCutTheDisksAreReadWhole() throws Exception {
        client.close();
        machine.qemu().quit();
        machine.boot();
        machine.data.write(2 << 20, 512, 0x33);
        machine.qemu().kill();
        machine.boot();
        client = machine.connect();
        try (Cut cut = machine.cut(client, 2, since(1))) {
            assertEquals("its checkpoint is inconsistent, because QEMU did not end cleanly", whyWhole(cut.disks().get(0)));
            assertTrue(whyWhole(cut.disks().get(1)).startsWith("QEMU has no checkpoint"));
            commit(cut);
        }
        machine.assertClean(2);
    }

    /** Also when the repository has lost the point meanwhile: then the inconsistent bitmap is a stray. */
    @Test
    void anInconsistentCheckpointOfAForgottenPointIsRemoved() throws Exception {
        client.close();
        machine.qemu().quit();
        machine.boot();
        machine.qemu().kill();
        machine.boot();
        client = machine.connect();
        assertEquals(List.of(bitmap(1, "data")), machine.qemu().bitmaps("data"));
        assertEquals(List.of(), Strays.remove(client, machine.scratch(), REPOSITORY, point -> false));
        machine.assertClean();
    }

    @Test
    void theDeathOfQemuIsAClearErrorAndLeavesNothing() throws Exception {
        Cut cut = machine.cut(client, 2, since(1));
        machine.qemu().kill();
        String message = assertThrows(QmpException.class, cut::committing).getMessage();
        assertTrue(message.contains("QEMU"), message);
        assertThrows(AssertionError.class, () -> View.read(cut.disks().get(0)));
        cut.close();
        assertEquals(List.of(), machine.scratchFolders());
    }

    @Test
    void aJobEndedByAnotherSpoilsThePoint() throws Exception {
        try (Cut cut = machine.cut(client, 2, since(1))) {
            String job = machine.qemu().traces().stream().filter(name -> name.contains("-job")).findFirst().orElseThrow();
            machine.qemu().control().execute("job-cancel", QmpClient.arguments().put("id", job));
            String message = assertThrows(QmpException.class, cut::committing).getMessage();
            assertTrue(message.contains(job), message);
        }
        machine.assertClean(1);
    }

    @Test
    void anNbdServerOfAnotherProgramIsLeftAlone() throws Exception {
        ObjectNode address = QmpClient.arguments();
        address.putObject("addr").put("type", "unix").putObject("data").put("path", folder.resolve("other.sock").toString());
        machine.qemu().control().execute("nbd-server-start", address);
        machine.qemu().control().execute("block-export-add",
                QmpClient.arguments().put("type", "nbd").put("id", "theirs").put("node-name", "logs").put("name", "theirs"));
        String message = assertThrows(QmpException.class, () -> machine.cut(client, 2, since(1))).getMessage();
        assertTrue(message.startsWith("QEMU's NBD server, of which it has only one, is in use by another program"), message);
        machine.assertClean(1);
        Program.run("nbdinfo", "nbd+unix:///theirs?socket=" + folder.resolve("other.sock"));
    }

    /** An export that another program put on our server would be cut off by a stop. */
    @Test
    void ourNbdServerStaysForTheExportOfAnother() throws Exception {
        Cut cut = machine.cut(client, 2, since(1));
        machine.qemu().control().execute("block-export-add",
                QmpClient.arguments().put("type", "nbd").put("id", "theirs").put("node-name", "logs").put("name", "theirs"));
        List<String> left = cut.end(Cut.Outcome.COMMITTED);
        assertEquals(1, left.size());
        assertTrue(left.getFirst().contains("Another program uses the NBD server"), left.getFirst());
        machine.qemu().control().execute("block-export-del", QmpClient.arguments().put("id", "theirs"));
        machine.qemu().control().awaitState("remove the export", QmpClient.DEFAULT_TIMEOUT,
                () -> machine.qemu().control().execute("query-block-exports").isEmpty());
        client.close();
        client = machine.connect();
        assertEquals(List.of(), Strays.remove(client, machine.scratch(), REPOSITORY, point -> true));
        machine.assertClean(2);
    }

    /** QEMU was killed under a backup that was killed too; the socket file that stayed says nothing about the next QEMU's server. */
    @Test
    void theServerOfTheNextQemuIsNotTakenForOurs() throws Exception {
        client.close();
        try (BackupProcess backup = BackupProcess.start(machine.qemu().qmp(), machine.scratch(),
                new Checkpoint(REPOSITORY, point(2)), since(1), BackupProcess.Phase.EXPORTED)) {
            machine.qemu().kill();
            backup.kill();
        }
        assertEquals(1, machine.scratchFolders().size());
        machine.boot();
        ObjectNode address = QmpClient.arguments();
        address.putObject("addr").put("type", "unix").putObject("data").put("path", folder.resolve("other.sock").toString());
        machine.qemu().control().execute("nbd-server-start", address);
        client = machine.connect();
        assertEquals(List.of(), Strays.remove(client, machine.scratch(), REPOSITORY, point -> true));
        assertEquals(List.of(), machine.scratchFolders());
        machine.qemu().control().execute("nbd-server-stop"); // refused if it were stopped already
    }

    @Test
    void aReaderThatStaysIsCutOffWithoutHarmToTheMachine() throws Exception {
        try (Cut cut = machine.cut(client, 2, since(1))) {
            Path output = folder.resolve("reader.log");
            Process reader = Program.start(output, List.of("qemu-io", "-r", "-f", "raw", cut.disks().getFirst().uri().toString()));
            Writer commands = reader.outputWriter(StandardCharsets.UTF_8);
            commands.write("read 0 64k\n");
            commands.flush();
            client.awaitState("serve a reader", QmpClient.DEFAULT_TIMEOUT, () -> Files.readString(output).contains("65536/65536"));
            commit(cut);
            commands.write("read 0 64k\n");
            commands.flush();
            client.awaitState("refuse a reader", QmpClient.DEFAULT_TIMEOUT, () -> Files.readString(output).contains("read failed"));
            reader.destroyForcibly().onExit().join();
        }
        machine.assertClean(2);
    }

    /** QEMU 7.2 would hang in nbd-server-stop for as long as such a client stays. */
    @Test
    void aClientThatNeverSpeaksCannotHangTheMachine() throws Exception {
        try (SocketChannel silent = SocketChannel.open(StandardProtocolFamily.UNIX)) {
            Cut cut = machine.cut(client, 2, since(1));
            silent.connect(UnixDomainSocketAddress.of(machine.scratchFolders().getFirst().resolve("nbd.sock")));
            cut.committing();
            List<String> left = cut.end(Cut.Outcome.COMMITTED);
            assertEquals(1, left.size());
            assertTrue(left.getFirst().contains("a client that holds a connection to its NBD server"), left.getFirst());
            assertEquals("running", machine.qemu().status());
            assertEquals(List.of(), machine.qemu().traces());
        }
        client.close();
        client = machine.connect();
        assertEquals(List.of(), Strays.remove(client, machine.scratch(), REPOSITORY, point -> true));
        machine.assertClean(2);
    }

    @Test
    void bitmapsOfOthersAreNeverTouched() throws Exception {
        String otherRepository = new Checkpoint("ffffffff", point(1)).name();
        addBitmap("data", "theirs");
        addBitmap("data", otherRepository);
        try (Cut cut = machine.cut(client, 2, since(1))) {
            commit(cut);
        }
        assertEquals(List.of(), Strays.remove(client, machine.scratch(), REPOSITORY, point -> false));
        assertEquals(List.of(otherRepository, "theirs"), machine.qemu().bitmaps("data"));
        assertEquals(List.of(), machine.qemu().bitmaps("logs"));
    }

    @Test
    void aDisabledCheckpointIsNotBelieved() throws Exception {
        machine.qemu().control().execute("block-dirty-bitmap-disable",
                QmpClient.arguments().put("node", "data").put("name", bitmap(1, "data")));
        try (Cut cut = machine.cut(client, 2, since(1))) {
            assertEquals("its checkpoint was disabled by another program", whyWhole(cut.disks().get(0)));
            commit(cut);
        }
        machine.assertClean(2);
    }

    /** All disks or none: the second disk refuses, so the first gets neither checkpoint nor job. */
    @Test
    void aDiskThatRefusesFailsTheWholeCut() throws Exception {
        addBitmap("logs", bitmap(2, "logs"));
        String message = assertThrows(QmpException.class, () -> machine.cut(client, 2, since(1))).getMessage();
        assertTrue(message.startsWith("QEMU refused 'transaction'"), message);
        machine.assertClean(1);
    }

    @Test
    void aBackupJobOfAnotherProgramDoesNotDisturb() throws Exception {
        QmpClient control = machine.qemu().control();
        Program.run("qemu-img", "create", "-q", "-f", "qcow2", folder.resolve("copy.qcow2").toString(), "" + DATA_SIZE);
        ObjectNode copy = QmpClient.arguments().put("driver", "qcow2").put("node-name", "copy");
        copy.putObject("file").put("driver", "file").put("filename", folder.resolve("copy.qcow2").toString());
        control.execute("blockdev-add", copy);
        control.execute("blockdev-backup", QmpClient.arguments()
                .put("job-id", "theirs").put("device", "data").put("target", "copy").put("sync", "none"));
        machine.data.write(65_536, 512, 0x22);
        byte[] then = machine.data.content();
        try (Cut cut = machine.cut(client, 2, since(1))) {
            machine.data.write(0, 131_072, 0x33);
            assertArrayEquals(then, View.read(cut.disks().get(0)));
            assertEquals(Set.of(65_536L), View.dirtyChunks(cut.disks().get(0)));
            commit(cut);
        }
        machine.assertClean(2);
        assertEquals("theirs", control.execute("query-jobs").path(0).path("id").asString());
    }

    /** The active node has another name after a snapshot; the disk keeps its own, and its checkpoint stayed below. */
    @Test
    void aDiskBelowASnapshotKeepsItsNameAndItsCheckpoint() throws Exception {
        Path overlay = folder.resolve("overlay.qcow2");
        Program.run("qemu-img", "create", "-q", "-f", "qcow2", overlay.toString(), "" + DATA_SIZE);
        QmpClient control = machine.qemu().control();
        ObjectNode node = QmpClient.arguments().put("driver", "qcow2").put("node-name", "over").putNull("backing");
        node.putObject("file").put("driver", "file").put("filename", overlay.toString());
        control.execute("blockdev-add", node);
        control.execute("blockdev-snapshot", QmpClient.arguments().put("node", "data").put("overlay", "over"));
        machine.data.write(3 << 20, 512, 0x44);

        QemuMachine inspected = QemuMachine.inspect(client, List.of(), Map.of("/machine/peripheral/dev-data/virtio-backend", "data"));
        QemuDisk disk = inspected.disks().getFirst();
        assertEquals("data", disk.name());
        assertEquals("over", disk.node());
        var plan = new CutPlan(
                new Checkpoint(REPOSITORY, point(2)),
                List.of(new CutPlan.Disk(disk, Optional.of(since(1).get("data")))),
                machine.scratch());
        try (Cut cut = Cut.begin(client, plan)) {
            Changes.Recorded changes = assertInstanceOf(Changes.Recorded.class, cut.disks().getFirst().changes());
            assertEquals(Optional.of(new Changes.Allocated("qemu:allocation-depth", 2)), changes.above());
            assertArrayEquals(machine.data.content(), View.read(cut.disks().getFirst()));
            commit(cut);
        }
        assertEquals(List.of(bitmap(2, "data")), machine.qemu().bitmaps("over"));
    }

    @Test
    void anUnknownOutcomeLeavesBothCheckpointsForTheRepositoryToDecide() throws Exception {
        Cut cut = machine.cut(client, 2, since(1));
        cut.committing();
        assertEquals(List.of(), cut.end(Cut.Outcome.UNKNOWN));
        machine.assertClean(1, 2);
        assertEquals(List.of(), Strays.remove(client, machine.scratch(), REPOSITORY, point(2)::equals));
        machine.assertClean(2);
    }

    @Test
    void twoBackupsAtOnceInOneProcessAreRefused() throws Exception {
        try (Cut cut = machine.cut(client, 2, since(1))) {
            String message = assertThrows(QmpException.class, () -> Strays.remove(
                            machine.qemu().control(), machine.scratch(), REPOSITORY, point -> true))
                    .getMessage();
            assertTrue(message.startsWith("Another backup of this machine is under way"), message);
            commit(cut);
        }
        machine.assertClean(2);
    }

    @Test
    void aScratchFolderWithALongPathHasItsSocketElsewhere() throws Exception {
        Path deep = folder.resolve("a long name&with=odd characters ".repeat(3).strip());
        CutPlan plan = TwoDiskMachine.plan(client, deep, new Checkpoint(REPOSITORY, point(2)), since(1));
        Path socketFolder = Path.of("/tmp", "afterimage-" + point(2));
        try (Cut cut = Cut.begin(client, plan)) {
            assertTrue(Files.exists(socketFolder));
            assertArrayEquals(machine.data.content(), View.read(cut.disks().getFirst()));
            commit(cut);
        }
        assertFalse(Files.exists(socketFolder));
        machine.assertClean(2);
    }

    @Test
    void aScratchFolderThatCannotBeMadeIsNamed() throws Exception {
        Path file = Files.writeString(folder.resolve("file"), "");
        CutPlan plan = TwoDiskMachine.plan(client, file, new Checkpoint(REPOSITORY, point(2)), since(1));
        String message = assertThrows(QmpException.class, () -> Cut.begin(client, plan)).getMessage();
        assertTrue(message.contains(file.toString()), message);
        machine.assertClean(1);
    }
}
