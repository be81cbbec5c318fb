package io.afterimage.capture.qemu;

import static io.afterimage.capture.qemu.TwoDiskMachine.REPOSITORY;
import static io.afterimage.capture.qemu.TwoDiskMachine.bitmap;
import static io.afterimage.capture.qemu.TwoDiskMachine.point;
import static io.afterimage.capture.qemu.TwoDiskMachine.since;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** A backup is killed with SIGKILL: the guest does not notice, no change is forgotten, nothing stays. */
class KilledBackupIT {

    @TempDir
    Path folder;

    private TwoDiskMachine machine;

    @BeforeEach
    void startMachineWithOnePoint() throws IOException, InterruptedException {
        machine = new TwoDiskMachine(folder);
        machine.data.write(0, 1 << 20, 0x11);
        machine.backUp(1, Map.of());
    }

    @AfterEach
    void stopMachine() {
        machine.close();
    }

    private BackupProcess backup(BackupProcess.Phase phase) throws IOException {
        return BackupProcess.start(
                machine.qemu().qmp(), machine.scratch(), new Checkpoint(REPOSITORY, point(2)), since(1), phase);
    }

    private List<String> removeStrays(Set<String> points) throws IOException {
        try (QmpClient client = machine.connect()) {
            return Strays.remove(client, machine.scratch(), REPOSITORY, points::contains);
        }
    }

    /** The next increment on {@code base} holds exactly what the guest touched since, and the disks are read right. */
    private void assertNextIncrementIsExact(int base) throws Exception {
        try (QmpClient client = machine.connect(); Cut cut = machine.cut(client, 3, since(base))) {
            assertEquals(machine.data.takeTouched(), View.dirtyChunks(cut.disks().get(0)));
            assertEquals(machine.logs.takeTouched(), View.dirtyChunks(cut.disks().get(1)));
            assertArrayEquals(machine.data.content(), View.read(cut.disks().get(0)));
            cut.committing();
            assertEquals(List.of(), cut.end(Cut.Outcome.COMMITTED));
        }
        machine.assertClean(3);
    }

    @ParameterizedTest
    @EnumSource
    void theNextBackupPutsEverythingRight(BackupProcess.Phase phase) throws Exception {
        machine.data.write(1_000_000, 70_000 / 512 * 512, 0x22);
        try (BackupProcess backup = backup(phase)) {
            machine.data.write(2_000_384, 512, 0x33);
            machine.logs.zero(65_536, 65_536);
            backup.killWithWatchdog();
        }
        machine.data.zero(131_072, 65_536);
        assertEquals(List.of(), removeStrays(Set.of(point(1))));
        machine.assertClean(1);
        machine.data.discard(262_144, 65_536);
        assertNextIncrementIsExact(1);
    }

    /** Killed after the point became visible: its checkpoint is the next base, nothing before it is needed. */
    @Test
    void aCommittedPointIsTheNextBase() throws Exception {
        try (BackupProcess backup = backup(BackupProcess.Phase.COMMITTING)) {
            machine.data.takeTouched();
            machine.data.write(2_000_384, 512, 0x33);
            backup.killWithWatchdog();
        }
        assertEquals(List.of(), removeStrays(Set.of(point(1), point(2))));
        machine.assertClean(1, 2);
        assertNextIncrementIsExact(2);
    }

    @ParameterizedTest
    @EnumSource(names = {"BEGUN", "COMMITTING"})
    void theWatchdogClearsQemuAtOnce(BackupProcess.Phase phase) throws Exception {
        try (BackupProcess backup = backup(phase)) {
            ProcessHandle watchdog = backup.watchdogs().getFirst();
            Program.run("kill", "-TERM", "" + watchdog.pid());
            Program.run("kill", "-INT", "" + watchdog.pid());
            assertTrue(watchdog.isAlive());
            backup.kill();
            watchdog.onExit().join();
        }
        if (phase == BackupProcess.Phase.BEGUN) {
            machine.assertClean(1);
        } else {
            machine.assertClean(1, 2);
        }
    }

    /** At any instant, teardown and the watchdog's own work included. */
    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4})
    void anyInstantWillDo(long seed) throws Exception {
        var random = new Random(seed);
        machine.logs.write(0, 4096, 0x22);
        for (int round = 0; round < 3; round++) {
            try (BackupProcess backup = BackupProcess.begin(
                    machine.qemu().qmp(), machine.scratch(), new Checkpoint(REPOSITORY, point(10 + round)), since(1),
                    BackupProcess.Phase.COMMITTING)) {
                LockSupport.parkNanos(Duration.ofMillis(200 + random.nextInt(900)).toNanos());
                if (random.nextBoolean()) {
                    backup.kill();
                } // else: with its watchdog
            }
            machine.data.write(random.nextInt(100) * 65_536, 512, 0x40 + round);
        }
        assertEquals(List.of(), removeStrays(Set.of(point(1))));
        machine.assertClean(1);
        assertNextIncrementIsExact(1);
    }

    @Test
    void aLivingBackupIsLeftAlone() throws Exception {
        try (BackupProcess backup = backup(BackupProcess.Phase.EXPORTED)) {
            String message = assertThrows(
                            QmpException.class,
                            () -> Strays.remove(machine.qemu().control(), machine.scratch(), REPOSITORY, point -> false))
                    .getMessage();
            assertTrue(message.startsWith("Another backup of this machine is under way"), message);
            assertEquals(List.of(bitmap(1, "data"), bitmap(2, "data")), machine.qemu().bitmaps("data"));
            assertTrue(backup.watchdogs().isEmpty());
        }
    }

    /** Its scratch was somewhere else, which QEMU itself tells. */
    @Test
    void scratchInAnotherPlaceIsFound() throws Exception {
        Path elsewhere = folder.resolve("elsewhere");
        try (BackupProcess backup = BackupProcess.start(
                machine.qemu().qmp(), elsewhere, new Checkpoint(REPOSITORY, point(2)), since(1), BackupProcess.Phase.EXPORTED)) {
            backup.kill();
        }
        assertEquals(List.of(), removeStrays(Set.of(point(1))));
        machine.assertClean(1);
        try (var left = Files.list(elsewhere)) {
            assertEquals(List.of(), left.toList());
        }
    }

    @Test
    void checkpointsStayWhenTheRepositoryCannotBeAsked() throws Exception {
        try (QmpClient client = machine.connect()) {
            assertThrows(IOException.class, () -> Strays.remove(client, machine.scratch(), REPOSITORY, point -> {
                throw new IOException("the store is away");
            }));
        }
        machine.assertClean(1);
    }
}
