package io.afterimage.command;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.afterimage.lab.Deadline;
import io.afterimage.lab.Tool;
import io.afterimage.lab.Tripwire;
import io.afterimage.lab.Tripwire.Call;
import io.afterimage.lab.Tripwire.Side;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * A backup that is killed, whenever: the repository lists whole points only, the guest goes on, QEMU is left clean, and the next
 * backup is an exact increment. It is killed in each of its phases, however short they are, and at random instants.
 */
class SurvivalIT {

    private static final int RANDOM_KILLS = 10;

    /** A little more than a backup gives. */
    private static final int COMMANDS = 60;

    @TempDir
    Path folder;

    @Test
    void aBackupKilledInAnyPhaseLosesNothing() throws IOException {
        try (Trial trial = Trial.begin(new Program(folder), folder)) {
            for (Phase phase : Phase.values()) {
                killIn(phase, trial, false);
                trial.awaitClean(phase.toString());
                trial.backUpExactly("bitmap");
            }
        }
    }

    /** Without the watchdog what is in QEMU stays there; the next backup clears it, and after several at once, too. */
    @Test
    void aBackupKilledTogetherWithItsWatchdogIsClearedByTheNext() throws IOException {
        try (Trial trial = Trial.begin(new Program(folder), folder)) {
            for (Phase phase : Phase.values()) {
                if (phase.leavesTraces()) {
                    killIn(phase, trial, true);
                    trial.assertNotClean(phase.toString());
                    trial.backUpExactly("bitmap");
                }
            }
        }
    }

    /** By the clock, and at any of the commands that it gives QEMU; and a next backup that begins while the watchdog is at work. */
    @Test
    void aBackupKilledAtAnyInstantLosesNothing() throws IOException {
        long seed = Long.getLong("afterimage.seed", 1);
        Random random = new Random(seed);
        try (Trial trial = Trial.begin(new Program(folder), folder)) {
            long begin = System.nanoTime();
            trial.backUpExactly("bitmap");
            long whole = System.nanoTime() - begin;
            for (int i = 1; i <= RANDOM_KILLS; i++) {
                if (random.nextBoolean()) {
                    killAfter(Duration.ofNanos(random.nextLong(whole / 8, whole)), trial);
                } else {
                    killAtCommand(random.nextInt(1, COMMANDS), trial);
                }
                if (random.nextBoolean()) {
                    trial.awaitClean("kill " + i);
                }
                // What several dead backups leave, too, is for the next one to clear.
                if (random.nextBoolean() || i == RANDOM_KILLS) {
                    trial.backUpExactly("bitmap");
                }
            }
        } catch (AssertionError | IllegalStateException e) {
            throw new AssertionError("with -Dafterimage.seed=" + seed, e);
        }
    }

    /** The watchdog dies, too, but only in the middle of its work. */
    @Test
    void whatAWatchdogLeavesHalfDoneIsClearedByTheNextBackup() throws IOException {
        try (Trial trial = Trial.begin(new Program(folder), folder)) {
            for (String command : List.of("block-export-del", "nbd-server-stop", "job-cancel", "blockdev-del")) {
                for (Side side : Side.values()) {
                    Tripwire tripwire = Tripwire.at(side, Call.WRITE, 1, "\"execute\":\"" + command + "\"");
                    Process backup = trial.startPaused(Optional.of(tripwire));
                    Deadline.in(Trial.PATIENCE).await(() -> trial.isCut() || !backup.isAlive(), trial::log);
                    List<ProcessHandle> watchdogs = backup.children().toList();
                    backup.destroyForcibly();
                    trial.exit(backup);
                    trial.machine().guest().resume();
                    Deadline.in(Trial.PATIENCE).await(tripwire::hasGoneOff, () -> "no watchdog comes to " + command);
                    watchdogs.forEach(ProcessHandle::destroyForcibly);
                    trial.assertUnharmed();
                    trial.assertNothingNew();
                    trial.backUpExactly("bitmap");
                }
            }
        }
    }

    private static void killAtCommand(int nth, Trial trial) throws IOException {
        Tripwire tripwire = Tripwire.at(Side.BEFORE, Call.WRITE, nth, "\"execute\":");
        Process backup = trial.startPaused(Optional.of(tripwire));
        Deadline.in(Trial.PATIENCE).await(() -> tripwire.hasGoneOff() || trial.isCut() || !backup.isAlive(), trial::log);
        trial.machine().guest().resume();
        Deadline.in(Trial.PATIENCE).await(() -> tripwire.hasGoneOff() || !backup.isAlive(), trial::log);
        backup.destroyForcibly();
        trial.exit(backup);
        trial.assertUnharmed();
        trial.takeInOneMore();
    }

    private static void killIn(Phase phase, Trial trial, boolean watchdogToo) throws IOException {
        Process backup = trial.startUpTo(phase.tripwire());
        trial.assertUnharmed();
        assertEquals(phase.leavesTraces(), !trial.traces().isEmpty(), () -> phase + " has " + trial.traces());
        if (watchdogToo) {
            // First, while the backup stands still: the watchdog has no time to see it die, and nobody waits for the watchdog.
            for (ProcessHandle child : backup.children().toList()) {
                child.destroyForcibly();
                Deadline.in(Trial.PATIENCE).await(() -> "ZX".indexOf(Tool.state(child.pid())) >= 0, () -> child + " does not die");
            }
        }
        backup.destroyForcibly();
        trial.exit(backup);
        trial.assertUnharmed();
        if (phase.isCommitted()) {
            trial.assertOneMore();
        } else {
            trial.assertNothingNew();
        }
    }

    private static void killAfter(Duration time, Trial trial) throws IOException {
        Process backup = trial.startPaused(Optional.empty());
        Deadline instant = Deadline.in(time);
        boolean isCut = false;
        while (!instant.left().isZero() && backup.isAlive()) {
            if (!isCut && trial.isCut()) {
                isCut = true;
                trial.machine().guest().resume();
            }
        }
        backup.destroyForcibly();
        trial.exit(backup);
        trial.machine().guest().resume();
        trial.assertUnharmed();
        trial.takeInOneMore();
    }
}
