package io.afterimage.image;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.afterimage.block.BlockDevice.Borrower;
import io.afterimage.block.ByteRange;
import io.afterimage.catalog.HeldPoint;
import io.afterimage.catalog.Point;
import io.afterimage.fetch.FetchSettings;
import io.afterimage.manifest.CorruptManifestException;
import io.afterimage.manifest.ManifestObjects;
import io.afterimage.store.MemoryObjectStore;
import io.afterimage.store.ObjectKey;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.Statement;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.sqlite.SQLiteConnection;

/** A map of which a part is damaged, by somebody who makes all hashes fit: what is whole is read, and of the rest nothing is made up. */
@Timeout(120)
final class DamagedMapTest {

    private static final int CHUNK = 65536;
    /** Where the second segment of the map begins. */
    private static final long DAMAGED = 4096L * CHUNK;
    private static final long SIZE = 3 * DAMAGED;
    private static final String FINDING = "the manifest is damaged: a segment is cut off";
    private static final Borrower REFUSING = (_, _) -> {
        throw new AssertionError("something was lent");
    };

    @TempDir
    private Path folder;

    private final byte[] reference = new byte[40 * CHUNK];
    private CapturedDisk disk;
    private HeldPoint point;
    private ImageLibrary images;

    @BeforeEach
    void damage() throws Exception {
        new Random(1).nextBytes(reference);
        MemoryObjectStore store = new MemoryObjectStore();
        disk = new CapturedDisk(store, false, folder);
        Point captured = disk.capture(reference, SIZE);
        ObjectKey key = ManifestObjects.key(captured.machine(), captured.id());
        byte[] object = ManifestObjects.compress(damaged(ManifestObjects.decompress(store.getWhole(key, 1 << 30))));
        store.put(key, ByteBuffer.wrap(object));
        String hash = HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(object));
        point = new HeldPoint(captured.machine(), captured.id(), new Point.Seal(object.length, hash));
        images = CapturedDisk.library(disk.repository(), 64 << 20, Optional.empty(), FetchSettings.DEFAULT);
    }

    private static byte[] damaged(byte[] file) throws Exception {
        try (Connection connection = DriverManager.getConnection("jdbc:sqlite::memory:");
                Statement statement = connection.createStatement()) {
            SQLiteConnection database = connection.unwrap(SQLiteConnection.class);
            database.deserialize("main", file);
            statement.execute("INSERT INTO segment VALUES (0, 1, x'02')");
            return database.serialize("main");
        }
    }

    @AfterEach
    void close() throws IOException {
        images.close();
        disk.close();
    }

    private static void assertDamaged(CorruptManifestException refusal) {
        assertEquals(FINDING, refusal.getMessage());
    }

    @Test
    void whatIsWholeIsReadAndTheRestRefused() throws IOException {
        try (PointInTimeImage image = images.open(point, CapturedDisk.VDA)) {
            ByteBuffer bytes = ByteBuffer.allocate(reference.length);
            image.read(0, bytes);
            assertArrayEquals(reference, bytes.array());
            image.read(2 * DAMAGED, bytes.clear());
            assertArrayEquals(new byte[reference.length], bytes.array());
            for (int i = 0; i < 3; i++) {
                assertDamaged(assertThrows(CorruptManifestException.class, () -> image.read(DAMAGED + 5, ByteBuffer.allocate(4096))));
            }
            assertDamaged(assertThrows(CorruptManifestException.class, () -> image.read(DAMAGED - 10, ByteBuffer.allocate(20))));
            assertDamaged(assertThrows(CorruptManifestException.class, () -> image.extents(new ByteRange(0, SIZE), 100)));
            image.read(7 * CHUNK, bytes.clear().limit(CHUNK));
            assertArrayEquals(Arrays.copyOfRange(reference, 7 * CHUNK, 8 * CHUNK), Arrays.copyOf(bytes.array(), CHUNK));
        }
    }

    @Test
    void nothingOfItIsAtHandAndNothingStaysLent() throws IOException {
        try (PointInTimeImage image = images.open(point, CapturedDisk.VDA)) {
            image.read(0, ByteBuffer.allocate(reference.length));
            ByteBuffer target = ByteBuffer.allocate(100).position(10);
            assertFalse(image.readResident(DAMAGED - 50, target));
            assertEquals(10, target.position());
            assertFalse(image.lendResident(DAMAGED - CHUNK, 2 * CHUNK, REFUSING));
            // From the last chunks that are in memory to the damaged ones.
            assertFalse(image.lendResident(0, (int) DAMAGED + CHUNK, REFUSING));
            assertEquals(0, images.statistics().memory().lent());
            image.prefetch(new ByteRange(0, SIZE));
        }
    }

    @Test
    void readAheadAndNeighboursEndWhereItBegins() throws IOException {
        try (PointInTimeImage image = images.open(point, CapturedDisk.VDA)) {
            for (int chunk = 0; chunk < 40; chunk++) {
                ByteBuffer bytes = ByteBuffer.allocate(CHUNK);
                image.read((long) chunk * CHUNK, bytes);
                assertArrayEquals(Arrays.copyOfRange(reference, chunk * CHUNK, (chunk + 1) * CHUNK), bytes.array());
            }
            for (long offset = DAMAGED - 64L * CHUNK; offset < DAMAGED; offset += CHUNK) {
                image.read(offset, ByteBuffer.allocate(CHUNK));
            }
        }
    }

    @Test
    void whoNeedsTheWholeMapIsToldAtOnce() throws IOException {
        try (PointInTimeImage image = images.open(point, CapturedDisk.VDA)) {
            assertTrue(image.readResident(DAMAGED - 4096, ByteBuffer.allocate(4096)));
            assertDamaged(assertThrows(CorruptManifestException.class, () -> images.manifest(point)));
            assertDamaged(assertThrows(CorruptManifestException.class, () -> disk.repository().manifest(point)));
        }
    }
}
