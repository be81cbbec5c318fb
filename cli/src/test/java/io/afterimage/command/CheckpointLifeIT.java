package io.afterimage.command;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;

/** What others do to a machine between its backups while it writes: the chain goes on, as increments, and every point is exact. */
class CheckpointLifeIT {

    @TempDir
    private Path folder;

    @Test
    void snapshotsOfOthersComeAndGo() throws IOException {
        try (Trial trial = Trial.begin(new Program(folder), folder)) {
            String before = trial.newest();
            trial.machine().snapshot(folder.resolve("overlay.qcow2"));
            assertQuietPartIsNotRead(trial.backUpExactly("bitmap", before, 2));
            assertQuietPartIsNotRead(trial.backUpExactly("bitmap", trial.newest(), 2));
            // What is committed counts from the checkpoint that was there before the snapshot.
            trial.machine().removeSnapshot();
            assertQuietPartIsNotRead(trial.backUpExactly("bitmap", before, 1));
            assertQuietPartIsNotRead(trial.backUpExactly("bitmap"));
        }
    }

    @Test
    void theMachineMovesToAnotherQemu() throws IOException {
        try (Trial trial = Trial.begin(new Program(folder), folder)) {
            trial.machine().migrate(folder.resolve("m1"), false);
            assertQuietPartIsNotRead(trial.backUpExactly("bitmap"));
            trial.machine().migrate(folder.resolve("m2"), true);
            assertQuietPartIsNotRead(trial.backUpExactly("bitmap"));
        }
    }

    private static void assertQuietPartIsNotRead(JsonNode point) {
        JsonNode disk = point.path("disks").path(0);
        assertTrue(disk.path("bytes").path("read").asLong() <= disk.path("size").asLong() - RestlessMachine.QUIET_BYTES, point.toString());
    }
}
