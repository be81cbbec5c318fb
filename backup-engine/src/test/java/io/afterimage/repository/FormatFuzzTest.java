package io.afterimage.repository;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.management.ThreadMXBean;
import io.afterimage.catalog.CatalogException;
import io.afterimage.chunk.CorruptChunkException;
import io.afterimage.keys.BrokenSealException;
import io.afterimage.manifest.CorruptManifestException;
import io.afterimage.pack.CorruptPackException;
import io.afterimage.store.ObjectKey;
import io.afterimage.store.StoreException;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Objects that are almost what a writer left. Whatever lies in the store, a reader comes to an end, in bounded memory, with what was backed up or
 * with one of the exceptions that are documented. An object that was changed by one who has no key, or knows of no hash, never yields other
 * content; who can make hashes and tags fit reaches the parsers, and gets no further than an exception either.
 * Runs for {@code -Dafterimage.fuzz.seconds}; a failure names its seed, {@code -Dafterimage.fuzz.seed} begins there.
 */
final class FormatFuzzTest {

    private static final int SECONDS = Integer.getInteger("afterimage.fuzz.seconds", 5);
    private static final long FIRST_SEED = Long.getLong("afterimage.fuzz.seed", 1);
    /** Neighbouring seeds begin with the same numbers. */
    private static final long SPREAD = 0x9e3779b97f4a7c15L;

    /** What takes longer does not end. */
    private static final int PATIENCE_SECONDS = 60;
    /** What a reader of a small repository never needs. */
    private static final long MOST_MEMORY = 256L << 20;

    @TempDir
    private Path folder;

    @Test
    void almostValidObjectsAreReadExactlyOrRefused() throws Exception {
        FuzzedRepository[] repositories = {
            FuzzedRepository.create(folder.resolve("clear"), false), FuzzedRepository.create(folder.resolve("encrypted"), true)
        };
        for (FuzzedRepository repository : repositories) {
            repository.read(true);
        }
        long end = System.nanoTime() + SECONDS * 1_000_000_000L;
        long seed = FIRST_SEED;
        ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        try (ExecutorService reader = Executors.newSingleThreadExecutor(Thread.ofPlatform().daemon().factory())) {
            for (; System.nanoTime() < end; seed++) {
                Random random = new Random(seed * SPREAD);
                FuzzedRepository repository = repositories[random.nextInt(2)];
                try {
                    reader.submit(() -> {
                                long before = threads.getCurrentThreadAllocatedBytes();
                                attempt(repository, random);
                                long taken = threads.getCurrentThreadAllocatedBytes() - before;
                                assertTrue(taken < MOST_MEMORY, "it took " + taken + " bytes of memory");
                                return null;
                            })
                            .get(PATIENCE_SECONDS, TimeUnit.SECONDS);
                } catch (ExecutionException e) {
                    throw new AssertionError("with -Dafterimage.fuzz.seed=" + seed, e.getCause());
                } catch (TimeoutException e) {
                    throw new AssertionError("no end with -Dafterimage.fuzz.seed=" + seed, e);
                }
            }
        }
        assertTrue(seed - FIRST_SEED > 10, "it got to read");
        System.out.println("FormatFuzzTest: seeds " + FIRST_SEED + " to " + (seed - 1));
    }

    private static void attempt(FuzzedRepository repository, Random random) throws Exception {
        ObjectKey key = repository.any(random);
        boolean adapted = random.nextBoolean();
        repository.mutate(key, adapted, random);
        try {
            repository.read(!adapted);
        } catch (AssertionError | Exception e) {
            throw new AssertionError(key + (adapted ? ", changed by one who knows the formats" : ", changed"), e);
        } finally {
            repository.restore();
        }
    }

    /** The exceptions that reading is documented to end in. */
    static boolean isDocumented(IOException failure) {
        return switch (failure) {
            case RepositoryException _, CatalogException _, StoreException _ -> true;
            case CorruptManifestException _, CorruptChunkException _, CorruptPackException _, BrokenSealException _ -> true;
            default -> false;
        };
    }

    @Test
    void nothingChangedIsReadExactly() throws Exception {
        for (boolean encrypted : new boolean[] {false, true}) {
            FuzzedRepository repository = FuzzedRepository.create(folder.resolve("same" + encrypted), encrypted);
            Map<String, byte[]> found = repository.read(true);
            assertEquals(repository.expected().keySet(), found.keySet());
            found.forEach((point, bytes) -> assertArrayEquals(repository.expected().get(point), bytes));
        }
    }
}
