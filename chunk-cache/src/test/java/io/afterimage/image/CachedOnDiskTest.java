package io.afterimage.image;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.afterimage.cache.DiskTier;
import io.afterimage.catalog.Point;
import io.afterimage.fetch.FetchSettings;
import io.afterimage.repository.Repository;
import io.afterimage.store.CountingStore;
import io.afterimage.store.MemoryObjectStore;
import io.afterimage.store.Operation;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.ValueSource;

/** What a second process of a host finds of what the first has fetched. */
@ParameterizedClass(name = "encrypted: {0}")
@ValueSource(booleans = {false, true})
final class CachedOnDiskTest {

    private static final int SIZE = 40 * 65536;

    @Parameter
    private boolean encrypted;

    @TempDir
    private Path folder;

    private final byte[] reference = new byte[SIZE];
    private CountingStore store;
    private CapturedDisk disk;
    private Point point;

    @BeforeEach
    void capture() throws IOException {
        new Random(1).nextBytes(reference);
        store = new CountingStore(new MemoryObjectStore());
        disk = new CapturedDisk(store, encrypted, folder.resolve("index"));
        point = disk.capture(reference, SIZE);
    }

    @AfterEach
    void close() throws IOException {
        disk.close();
    }

    private Path frames() {
        return folder.resolve("frames");
    }

    /** Reads the whole disk as a process of its own would; the GETs that it took beside the manifest's. */
    private long readAll() throws IOException {
        Repository repository = disk.reopen(store);
        DiskTier tier = DiskTier.open(frames(), 64 << 20, repository.id(), InstantSource.system()).orElseThrow();
        long before = store.statistics().of(Operation.GET).requests();
        try (ImageLibrary images = CapturedDisk.library(repository, 16 << 20, Optional.of(tier), FetchSettings.DEFAULT);
                PointInTimeImage image = images.open(point, CapturedDisk.VDA)) {
            ByteBuffer bytes = ByteBuffer.allocate(SIZE);
            image.read(0, bytes);
            assertArrayEquals(reference, bytes.array());
        }
        return store.statistics().of(Operation.GET).requests() - before - 1;
    }

    private List<Path> files() throws IOException {
        try (Stream<Path> files = Files.list(frames())) {
            return files.toList();
        }
    }

    @Test
    void theNextProcessAsksTheStoreForNothing() throws IOException {
        assertEquals(1, readAll());
        assertEquals(0, readAll());
    }

    @Test
    void whatIsDamagedThereIsFetchedAgain() throws IOException {
        readAll();
        for (Path file : files()) {
            byte[] bytes = Files.readAllBytes(file);
            for (int i = 500_000; i < bytes.length - 200_000; i += 100_000) {
                bytes[i] ^= 1;
            }
            Files.write(file, bytes);
        }
        long requests = readAll();
        assertTrue(requests >= 1, requests + " requests");
        assertEquals(0, readAll(), "and is whole there then");
    }

    @Test
    void whatIsEncryptedInTheStoreIsEncryptedThere() throws IOException {
        readAll();
        String needle = new String(reference, 5 * 65536 + 100, 64, StandardCharsets.ISO_8859_1);
        boolean found = false;
        for (Path file : files()) {
            found |= new String(Files.readAllBytes(file), StandardCharsets.ISO_8859_1).contains(needle);
        }
        assertEquals(!encrypted, found);
    }
}
