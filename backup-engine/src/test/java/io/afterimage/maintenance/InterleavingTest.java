package io.afterimage.maintenance;

import io.afterimage.store.FaultyStore;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Backups of two machines from two hosts, readers, forgetting and garbage collection, in every order that chance brings about, request by request, with errors
 * that had no effect, errors that had, and deaths between any two requests. After each request every point that is listed is whole, those that were
 * promised are listed, and each byte is what it was.
 *
 * <p>{@code -Dafterimage.seed=N} repeats one history, {@code -Dafterimage.fuzz.seconds=N} tries others for so long.
 */
class InterleavingTest {

    private static final int STEPS = 1500;
    private static final Duration DEFAULT_TIME = Duration.ofSeconds(6);

    @TempDir
    private Path folder;

    @Test
    void whatIsListedIsWholeAndExact() throws IOException {
        Long seed = Long.getLong("afterimage.seed");
        if (seed != null) {
            history(seed);
            return;
        }
        Duration time = Duration.ofSeconds(Long.getLong("afterimage.fuzz.seconds", DEFAULT_TIME.toSeconds()));
        long begin = System.nanoTime();
        long next = Long.getLong("afterimage.fuzz.from", 1);
        do {
            history(next++);
        } while (System.nanoTime() - begin < time.toNanos());
    }

    private void history(long seed) throws IOException {
        double trouble = seed % 3 == 0 ? 0 : 0.01;
        double altered = seed % 3 == 1 ? 0.02 : 0;
        try (World world = new World(folder, seed, new FaultyStore.Rates(trouble, trouble, altered))) {
            world.live(STEPS);
        } catch (AssertionError e) {
            throw new AssertionError("-Dafterimage.seed=" + seed + ": " + e.getMessage(), e);
        }
    }
}
