package io.afterimage.app;

import static org.junit.jupiter.api.Assertions.assertTrue;

import io.afterimage.lab.Lab;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Whatever happens to a machine's disks, in whatever order, each point is exact at the moment it is made and ever after, and checkpoints do not
 * pile up. {@code -Dafterimage.fuzz.seconds=N} says for how long, {@code -Dafterimage.seed=N} repeats a run.
 */
class RandomLifeIT {

    private static final Duration TIME = Duration.ofSeconds(Long.getLong("afterimage.fuzz.seconds", 12));

    @TempDir
    private Path folder;

    /** Without push: QEMU 7.2 takes what the guest has zeroed since the cut for zeros at the cut (docs/decisions/0016). */
    @Test
    void everyPointIsExact() throws IOException {
        live("qemu-system-x86_64", false);
    }

    @Test
    void everyPointOfANewerQemuIsExact() throws IOException {
        live(Lab.newerQemu(), true);
    }

    private void live(String qemu, boolean pushes) throws IOException {
        long seed = Long.getLong("afterimage.seed", 1);
        long end = System.nanoTime() + TIME.toNanos();
        try (RandomLife life = new RandomLife(folder, qemu, pushes, seed)) {
            try {
                while (System.nanoTime() < end || life.backups() < 3) {
                    life.step();
                }
                life.assertAllExact();
            } catch (AssertionError | IOException | RuntimeException e) {
                throw new AssertionError("with -Dafterimage.seed=" + seed + " after " + life.history(), e);
            }
            System.out.println("RandomLifeIT: " + life.history());
            assertTrue(life.backups() > 0, life.history());
        }
    }
}
