package io.afterimage.command;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.afterimage.lab.Tool;
import io.afterimage.lab.Tripwire;
import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;

/** What a backup stands on goes away under it: QEMU dies, or the repository's disk is full. One sentence, and the next backup is right. */
class LostGroundIT {

    @TempDir
    Path folder;

    @Test
    void afterTheDeathOfQemuTheNextBackupRepairsTheChain() throws IOException {
        try (Trial trial = Trial.begin(new Program(folder), folder)) {
            trial.machine().guest().quit();
            trial.boot();
            // This QEMU has read the bitmap from the disk, and leaves it there as in use.
            killQemuIn(Phase.READING, trial);
            assertComparedWhole("inconsistent", trial);

            trial.machine().guest().quit();
            trial.boot();
            trial.backUpExactly("bitmap");
            // This one has made the bitmap itself, and never stored it.
            killQemuIn(Phase.BEFORE_THE_TRANSACTION, trial);
            assertComparedWhole("no checkpoint", trial);

            killQemuIn(Phase.PACK_STORED, trial);
            assertComparedWhole("no checkpoint", trial);
            trial.backUpExactly("bitmap");
        }
    }

    private static void killQemuIn(Phase phase, Trial trial) throws IOException {
        Process backup = trial.startUpTo(phase.tripwire());
        trial.machine().guest().kill();
        Tripwire.goOn(backup);
        trial.assertFails(ExitCode.SOURCE, "QEMU", backup);
        trial.assertNothingNew();
        trial.boot();
        trial.awaitClean(phase.toString());
    }

    private static void assertComparedWhole(String reason, Trial trial) throws IOException {
        JsonNode point = trial.backUpExactly("whole");
        assertEquals("incremental", point.path("kind").asString(), point.toString());
        assertTrue(point.path("disks").path(0).path("reason").asString("").contains(reason), point.toString());
        // What the guest leaves alone is compared, not stored again.
        assertTrue(point.path("bytes").path("deduplicated").asLong() >= RestlessMachine.QUIET_BYTES, point.toString());
    }

    /** All is stored when QEMU dies, and the commit does not need it: then there is a point, or there is a sentence that says why not. */
    @Test
    void theDeathOfQemuAtTheCommitLosesNothing() throws IOException {
        try (Trial trial = Trial.begin(new Program(folder), folder)) {
            for (Phase phase : List.of(Phase.DESCRIPTOR_WRITTEN, Phase.DESCRIPTOR_STORED)) {
                Process backup = trial.startUpTo(phase.tripwire());
                trial.machine().guest().kill();
                Tripwire.goOn(backup);
                assertEquals(0, trial.exit(backup), trial::log);
                trial.assertOneMore();
                trial.boot();
                trial.awaitClean(phase.toString());
                assertComparedWhole("no checkpoint", trial);
            }
        }
    }

    @Test
    void aFullDiskUnderTheRepositoryBreaksNothing() throws IOException {
        Path small = Files.createDirectory(folder.resolve("small"));
        try (Closeable _ = mount(small);
                Trial trial = Trial.begin(new Program(folder).on(small.resolve("repository")), folder)) {
            Path ballast = small.resolve("ballast");
            for (Phase phase : List.of(
                    Phase.START, Phase.LEASE_TAKEN, Phase.TRANSACTION_SENT, Phase.PACK_STORED, Phase.MANIFEST_STORED)) {
                Process backup = trial.startUpTo(phase.tripwire());
                fill(ballast);
                Tripwire.goOn(backup);
                trial.assertFails(ExitCode.STORE, "no space", backup);
                assertTrue(trial.traces().isEmpty(), () -> phase + " left " + trial.traces());
                trial.assertUnharmed();
                trial.assertNothingNew();
                Files.delete(ballast);
                trial.backUpExactly("bitmap");
            }
            // Full from the beginning.
            fill(ballast);
            Process backup = trial.startPaused(Optional.empty());
            trial.assertFails(ExitCode.STORE, "no space", backup);
            trial.machine().guest().resume();
            trial.assertNothingNew();
            Files.delete(ballast);
            trial.backUpExactly("bitmap");
        }
    }

    /** A small file system there, until it is closed. */
    private static Closeable mount(Path folder) {
        Tool.run("mount", "-t", "tmpfs", "-o", "size=400m", "tmpfs", folder.toString()).orFail();
        return () -> Tool.run("umount", folder.toString()).orFail();
    }

    /** Until not a byte is left. */
    private static void fill(Path ballast) {
        Tool.Result full = Tool.run("dd", "if=/dev/zero", "of=" + ballast, "bs=4k");
        assertTrue(full.text().contains("No space left"), full::text);
    }
}
