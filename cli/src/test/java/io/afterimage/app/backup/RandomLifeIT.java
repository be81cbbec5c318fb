package io.afterimage.app.backup;

import static org.junit.jupiter.api.Assertions.assertTrue;

import io.afterimage.lab.Lab;
import io.afterimage.lab.Tool;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Whatever happens to a machine's disks, in whatever order, each point is exact at the moment it is made and ever after, and checkpoints do not
 * pile up. {@code -Dafterimage.fuzz.seconds=N} says for how long, {@code -Dafterimage.seed=N} repeats a run; {@code make soak} lives one life after
 * the other, each of another seed.
 */
class RandomLifeIT {

    private static final Duration TIME = Duration.ofSeconds(Long.getLong("afterimage.fuzz.seconds", 6));
    /** A machine that lives on and on has ever more files, and a failure a history that nobody reads. */
    private static final Duration LIFE = Duration.ofSeconds(90);
    private static final long SEED = Long.getLong("afterimage.seed", 1);

    @TempDir
    private Path folder;

    /** Without push: QEMU 7.2 takes what the guest has zeroed since the cut for zeros at the cut (docs/decisions/0016). */
    @Test
    void everyPointIsExact() throws IOException {
        live("qemu-system-x86_64", false);
    }

    @ParameterizedTest
    @ValueSource(ints = {8, 9})
    void everyPointOfASeriesBetweenIsExact(int series) throws IOException {
        live(Lab.newerQemu(series), true);
    }

    @Test
    void everyPointOfANewerQemuIsExact() throws IOException {
        live(Lab.newerQemu(), true);
    }

    private void live(String qemu, boolean pushes) throws IOException {
        long end = System.nanoTime() + TIME.toNanos();
        long seed = SEED;
        do {
            Path own = Files.createDirectory(folder.resolve("life" + seed));
            live(own, qemu, pushes, seed++, Math.min(end, System.nanoTime() + LIFE.toNanos()));
            Tool.run("rm", "-rf", own.toString()).orFail();
        } while (System.nanoTime() < end);
    }

    private static void live(Path folder, String qemu, boolean pushes, long seed, long end) throws IOException {
        try (RandomLife life = new RandomLife(folder, qemu, pushes, seed)) {
            try {
                while (System.nanoTime() < end || life.backups() < 3) {
                    life.step();
                }
                life.assertAllExact();
            } catch (AssertionError | IOException | RuntimeException e) {
                throw new AssertionError("with -Dafterimage.seed=" + seed + " after " + life.history(), e);
            }
            System.out.println("RandomLifeIT: seed " + seed + ", " + life.backups() + " points: " + life.history());
            assertTrue(life.backups() > 0, life.history());
        }
    }
}
