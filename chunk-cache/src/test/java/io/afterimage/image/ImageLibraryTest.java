package io.afterimage.image;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.afterimage.catalog.Point;
import io.afterimage.catalog.Selector;
import io.afterimage.fetch.FetchSettings;
import io.afterimage.repository.Repository;
import io.afterimage.store.CountingStore;
import io.afterimage.store.FaultyStore;
import io.afterimage.store.MemoryObjectStore;
import io.afterimage.store.Operation;
import io.afterimage.store.StoreStatistics;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What opening and reading cost the store. */
@Timeout(120)
final class ImageLibraryTest {

    private static final int CHUNK = 65536;
    private static final int DATA = 200 * CHUNK;
    private static final long TEBIBYTE = 1L << 40;
    private static final long MEMORY = 64 << 20;

    @TempDir
    private Path folder;

    private final byte[] reference = new byte[DATA];
    private MemoryObjectStore bottom;
    private CountingStore store;
    private CapturedDisk disk;

    @BeforeEach
    void create() throws IOException {
        new Random(1).nextBytes(reference);
        bottom = new MemoryObjectStore();
        store = new CountingStore(bottom);
        disk = new CapturedDisk(store, false, folder);
    }

    @AfterEach
    void close() throws IOException {
        disk.close();
    }

    private ImageLibrary library(Repository repository) {
        return CapturedDisk.library(repository, MEMORY, Optional.empty(), FetchSettings.DEFAULT);
    }

    private void assertRange(PointInTimeImage image, int offset, int length) throws IOException {
        ByteBuffer bytes = ByteBuffer.allocate(length);
        image.read(offset, bytes);
        assertArrayEquals(Arrays.copyOfRange(reference, offset, offset + length), bytes.array());
    }

    /** Requests from the selector to the first 4 KiB, by one who knows nothing yet. */
    private StoreStatistics openAndRead() throws IOException {
        try (Repository repository = disk.reopen(store)) {
            StoreStatistics before = store.statistics();
            try (ImageLibrary images = library(repository)) {
                Point point = repository.catalog().resolve(Selector.parse("web@latest"));
                assertRange(images.open(point, CapturedDisk.VDA), 0, 4096);
                return store.statistics().since(before);
            }
        }
    }

    @Test
    void openingATebibyteCostsFourRequestsHoweverManyPointsCameBefore() throws IOException {
        disk.capture(reference, TEBIBYTE);
        assertEquals(4, openAndRead().requests());
        for (int i = 0; i < 25; i++) {
            reference[i * CHUNK] ^= 1;
            disk.capture(reference, TEBIBYTE);
        }
        StoreStatistics later = openAndRead();
        assertEquals(1, later.of(Operation.LIST).requests());
        // The descriptor, the manifest, the chunk.
        assertEquals(3, later.of(Operation.GET).requests());
        assertEquals(4, later.requests());
    }

    @Test
    void aHundredImagesShareOneMapAndTheirChunks() throws Exception {
        Point point = disk.capture(reference, TEBIBYTE);
        StoreStatistics before = store.statistics();
        try (ImageLibrary images = library(disk.repository());
                ExecutorService openers = Executors.newVirtualThreadPerTaskExecutor()) {
            List<Future<?>> opened = new ArrayList<>();
            for (int i = 0; i < 100; i++) {
                opened.add(openers.submit(() -> {
                    assertRange(images.open(point, CapturedDisk.VDA), 3 * CHUNK + 7, 4096);
                    return null;
                }));
            }
            for (Future<?> each : opened) {
                each.get();
            }
        }
        assertEquals(2, store.statistics().since(before).requests());
    }

    @Test
    void pointsOfAMachineShareTheChunksThatDidNotChange() throws IOException {
        List<Point> points = new ArrayList<>();
        for (int i = 0; i < 5; i++) {
            points.add(disk.capture(reference, TEBIBYTE));
        }
        try (ImageLibrary images = library(disk.repository())) {
            StoreStatistics before = store.statistics();
            for (Point point : points) {
                assertRange(images.open(point, CapturedDisk.VDA), 0, 20 * CHUNK);
            }
            assertEquals(5 + 1, store.statistics().since(before).requests());
        }
    }

    /** As a BIOS reads: little, unaligned, one at a time. What lies beside a miss comes with it, and what follows is on its way before it is asked for. */
    @Test
    void smallReadsInARowCostFewRequestsAndNoByteTwice() throws IOException {
        Point point = disk.capture(reference, DATA);
        try (ImageLibrary images = library(disk.repository());
                PointInTimeImage image = images.open(point, CapturedDisk.VDA)) {
            StoreStatistics before = store.statistics();
            for (int offset = 63; offset < DATA - 512; offset += 512) {
                if (!image.readResident(offset, ByteBuffer.allocate(512))) {
                    assertRange(image, offset, 512);
                }
            }
            StoreStatistics read = store.statistics().since(before);
            assertTrue(read.requests() <= 60, read.requests() + " requests for 200 chunks");
            long bytes = read.of(Operation.GET).bytes();
            assertTrue(bytes <= DATA * 1.05, bytes + " bytes of " + DATA);
        }
    }

    /** Reads far from each other soon bring no neighbours along any more. */
    @Test
    void scatteredReadsFetchHardlyMoreThanTheyNeed() throws IOException {
        byte[] large = new byte[2000 * CHUNK];
        new Random(2).nextBytes(large);
        Point point = disk.capture(large, large.length);
        try (ImageLibrary images = library(disk.repository());
                PointInTimeImage image = images.open(point, CapturedDisk.VDA)) {
            StoreStatistics before = store.statistics();
            Random random = new Random(3);
            int reads = 150;
            for (int i = 0; i < reads; i++) {
                image.read(random.nextInt(100) * 20L * CHUNK + 512L * random.nextInt(64), ByteBuffer.allocate(512));
            }
            StoreStatistics read = store.statistics().since(before);
            assertTrue(read.of(Operation.GET).bytes() <= reads * 2L * CHUNK, read.of(Operation.GET).bytes() + " bytes for " + reads + " chunks");
            assertTrue(read.requests() <= reads, read.requests() + " requests");
        }
    }

    /** Requests fail, and bits change on the way: a read is right or fails, and the next one may be right. */
    @Test
    void aStoreFullOfFaultsNeverYieldsAWrongByte() throws IOException {
        Point point = disk.capture(reference, DATA);
        FaultyStore faulty = new FaultyStore(bottom, 4, new FaultyStore.Rates(0.1, 0.1, 0.2));
        int right = 0;
        int failed = 0;
        try (Repository repository = openSomehow(faulty)) {
            Random random = new Random(5);
            for (int round = 0; round < 60; round++) {
                try (ImageLibrary images = library(repository);
                        PointInTimeImage image = images.open(point, CapturedDisk.VDA)) {
                    for (int i = 0; i < 10; i++) {
                        int offset = random.nextInt(DATA - 5 * CHUNK);
                        try {
                            assertRange(image, offset, 1 + random.nextInt(5 * CHUNK));
                            right++;
                        } catch (IOException e) {
                            failed++;
                        }
                    }
                } catch (IOException e) {
                    failed++;
                }
            }
        }
        assertTrue(right > 50, right + " reads were right");
        assertTrue(failed > 10, failed + " reads failed");
    }

    private Repository openSomehow(FaultyStore faulty) throws IOException {
        while (true) {
            try {
                return disk.reopen(faulty);
            } catch (IOException e) {
                // Another try has other luck.
            }
        }
    }
}
