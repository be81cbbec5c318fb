package io.afterimage.image;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.afterimage.block.ByteRange;
import io.afterimage.block.Extent;
import io.afterimage.block.MemoryDevice;
import io.afterimage.capture.Capture;
import io.afterimage.capture.Progress;
import io.afterimage.capture.SourceDisk;
import io.afterimage.catalog.BackupLease;
import io.afterimage.catalog.LeaseTerms;
import io.afterimage.catalog.OpenPoints;
import io.afterimage.catalog.Point;
import io.afterimage.chunk.ChunkAddress;
import io.afterimage.chunk.ChunkId;
import io.afterimage.chunk.ChunkSize;
import io.afterimage.chunk.FrameCodec;
import io.afterimage.chunk.PackId;
import io.afterimage.fetch.FetchSettings;
import io.afterimage.index.ChunkIndex;
import io.afterimage.keys.Secret;
import io.afterimage.manifest.DiskName;
import io.afterimage.manifest.MachineName;
import io.afterimage.manifest.PointId;
import io.afterimage.pack.PackBuilder;
import io.afterimage.pack.PackEntry;
import io.afterimage.pack.PackObjects;
import io.afterimage.repository.ChunkReader;
import io.afterimage.repository.KeySource;
import io.afterimage.repository.Move;
import io.afterimage.repository.PointWriter;
import io.afterimage.repository.Repository;
import io.afterimage.store.CountingStore;
import io.afterimage.store.MemoryObjectStore;
import io.afterimage.store.ObjectInfo;
import io.afterimage.store.ObjectStore;
import io.afterimage.store.Operation;
import io.afterimage.store.StoreStatistics;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.ValueSource;

/** A disk of 120 chunks and a bit: data in [0, 60), zeros in [60, 80), data in [80, 120) and the tail. */
@ParameterizedClass(name = "encrypted: {0}")
@ValueSource(booleans = {false, true})
class PointInTimeImageTest {

    @Parameter
    private boolean encrypted;

    private static final int CHUNK = ChunkSize.DEFAULT.bytes();
    private static final long SIZE = 120L * CHUNK + 1536;
    private static final DiskName VDA = new DiskName("vda");

    @TempDir
    private Path folder;

    private final byte[] reference = new byte[(int) SIZE];
    private CountingStore store;
    private Optional<Secret> key;
    private Repository repository;
    private Point point;
    private ImageLibrary images;

    @BeforeEach
    void capture() throws IOException {
        SecureRandom random = new SecureRandom();
        store = new CountingStore(new MemoryObjectStore());
        key = encrypted ? Optional.of(Secret.keyFile(Secret.newKeyFile(random))) : Optional.empty();
        repository = encrypted
                ? Repository.createEncrypted(store, ChunkSize.DEFAULT, key.get(), random)
                : Repository.create(store, ChunkSize.DEFAULT, random);
        new Random(1).nextBytes(reference);
        Arrays.fill(reference, 60 * CHUNK, 80 * CHUNK, (byte) 0);
        MemoryDevice disk = new MemoryDevice(SIZE);
        disk.write(0, ByteBuffer.wrap(reference, 0, 60 * CHUNK));
        disk.write(80L * CHUNK, ByteBuffer.wrap(reference, 80 * CHUNK, (int) SIZE - 80 * CHUNK));
        MachineName machine = new MachineName("web");
        Instant now = Instant.now();
        try (ChunkIndex index = ChunkIndex.open(folder);
                BackupLease lease = BackupLease.acquire(store, InstantSource.system(), machine);
                PointWriter writer = new PointWriter(repository, lease, index, Optional.empty(), random)) {
            point = new Capture(machine, PointId.at(now, random), now, Optional.empty(), new TreeMap<>())
                    .run(repository, writer, List.of(SourceDisk.whole(VDA, disk, Optional.empty())), Progress.NONE)
                    .commit();
        }
        images = library(repository);
    }

    private static ImageLibrary library(Repository repository) {
        return new ImageLibrary(
                repository, new OpenPoints(new MemoryObjectStore(), InstantSource.system(), LeaseTerms.DEFAULT), 64L << 20, Optional.empty(), FetchSettings.DEFAULT);
    }

    @AfterEach
    void close() throws IOException {
        images.close();
        repository.close();
    }

    @Test
    void everyRangeReadsAsTheDiskWas() throws IOException {
        PointInTimeImage image = images.open(point, VDA);
        Random random = new Random(2);
        for (int i = 0; i < 500; i++) {
            int offset = random.nextInt((int) SIZE);
            int length = random.nextInt(Math.min(5 * CHUNK, (int) SIZE - offset) + 1);
            assertRange(image, offset, length);
        }
        assertRange(image, 0, (int) SIZE);
        assertThrows(IndexOutOfBoundsException.class, () -> image.read(SIZE - 1, ByteBuffer.allocate(2)));
    }

    private void assertRange(PointInTimeImage image, int offset, int length) throws IOException {
        ByteBuffer bytes = ByteBuffer.allocate(length);
        image.read(offset, bytes);
        assertEquals(0, bytes.remaining());
        assertArrayEquals(Arrays.copyOfRange(reference, offset, offset + length), bytes.array());
    }

    @Test
    void openingCostsTwoRequestsAndAColdReadOne() throws IOException {
        StoreStatistics before = store.statistics();
        PointInTimeImage image = images.open(point, VDA);
        assertEquals(1, store.statistics().since(before).requests());
        assertRange(image, 30 * CHUNK + 100, 4096);
        assertEquals(2, store.statistics().since(before).of(Operation.GET).requests());
        assertRange(image, 30 * CHUNK + 9000, 4096);
        assertEquals(2, store.statistics().since(before).requests());
        assertRange(image, 65 * CHUNK, CHUNK);
        assertEquals(2, store.statistics().since(before).requests());
    }

    @Test
    void neighboursComeTogether() throws IOException {
        PointInTimeImage image = images.open(point, VDA);
        StoreStatistics before = store.statistics();
        assertRange(image, 10 * CHUNK, 20 * CHUNK);
        assertEquals(1, store.statistics().since(before).requests());
    }

    @Test
    void imagesOfAPointShareMapsAndChunks() throws IOException {
        assertRange(images.open(point, VDA), 0, 10 * CHUNK);
        StoreStatistics before = store.statistics();
        assertRange(images.open(point, VDA), 0, 10 * CHUNK);
        assertEquals(0, store.statistics().since(before).requests());
    }

    @Test
    void manyReadersOfOneChunkCauseOneRequest() throws Exception {
        PointInTimeImage image = images.open(point, VDA);
        StoreStatistics before = store.statistics();
        try (ExecutorService readers = Executors.newVirtualThreadPerTaskExecutor()) {
            List<Future<?>> reads = new ArrayList<>();
            for (int i = 0; i < 100; i++) {
                reads.add(readers.submit(() -> {
                    assertRange(image, 90 * CHUNK + 10, 1000);
                    return null;
                }));
            }
            for (Future<?> read : reads) {
                read.get();
            }
        }
        // One flight at a time; a reader that comes as it lands may start another at worst, never a hundred.
        assertTrue(store.statistics().since(before).requests() <= 2);
    }

    /** What NBD_CMD_CACHE comes to: the bytes are here before they are asked for, neighbours by one request; zeros cost nothing. */
    @Test
    void aHintFetchesWhatALaterReadFindsAtHand() throws IOException {
        PointInTimeImage image = images.open(point, VDA);
        StoreStatistics before = store.statistics();
        image.prefetch(new ByteRange(10L * CHUNK + 5, 20L * CHUNK));
        image.prefetch(new ByteRange(60L * CHUNK, 20L * CHUNK));
        awaitResident(image, 10 * CHUNK + 5, 20 * CHUNK);
        assertRange(image, 10 * CHUNK + 5, 20 * CHUNK);
        assertEquals(1, store.statistics().since(before).requests());
        image.prefetch(new ByteRange(10L * CHUNK, 20L * CHUNK));
        image.prefetch(new ByteRange(0, SIZE));
        awaitResident(image, 0, (int) SIZE);
        assertRange(image, 0, (int) SIZE);
        assertTrue(store.statistics().since(before).requests() <= 4, "the gaps around what was here already");
    }

    private static void awaitResident(PointInTimeImage image, int offset, int length) {
        long deadline = System.nanoTime() + Duration.ofSeconds(30).toNanos();
        while (!image.readResident(offset, ByteBuffer.allocate(length))) {
            assertTrue(System.nanoTime() < deadline, "waited in vain for the bytes");
            LockSupport.parkNanos(1_000_000);
        }
    }

    @Test
    void whatIsNotAtHandIsNotResidentAndZerosAlwaysAre() throws IOException {
        PointInTimeImage image = images.open(point, VDA);
        ByteBuffer target = ByteBuffer.allocate(4096);
        assertFalse(image.readResident(5L * CHUNK, target));
        assertEquals(0, target.position());
        assertTrue(image.readResident(70L * CHUNK, target));
        assertRange(image, 5 * CHUNK, 10);
        assertTrue(image.readResident(5L * CHUNK, target.clear()));
        assertArrayEquals(Arrays.copyOfRange(reference, 5 * CHUNK, 5 * CHUNK + 4096), target.array());
    }

    @Test
    void extentsTellTheHole() throws IOException {
        assertEquals(
                List.of(
                        new Extent(0, 60L * CHUNK, Extent.Kind.DATA),
                        new Extent(60L * CHUNK, 20L * CHUNK, Extent.Kind.HOLE),
                        new Extent(80L * CHUNK, SIZE - 80L * CHUNK, Extent.Kind.DATA)),
                images.open(point, VDA).extents(new ByteRange(0, SIZE), 100));
    }

    @Test
    void aDamagedChunkFailsItsOwnRangeAndNoOther() throws IOException {
        damage(20 * 257 * 256 + 5000);
        PointInTimeImage image = images.open(point, VDA);
        int failed = 0;
        for (int chunk = 0; chunk < 120; chunk++) {
            try {
                assertRange(image, chunk * CHUNK, CHUNK);
            } catch (IOException e) {
                assertTrue(e.getMessage().contains("is damaged"), e.getMessage());
                failed++;
            }
        }
        assertEquals(1, failed);
        assertThrows(IOException.class, () -> assertRange(image, 0, 60 * CHUNK));
    }

    @Test
    void aCutPackIsReadAsFarAsItGoes() throws IOException {
        ObjectInfo pack = pack();
        byte[] bytes = store.getWhole(pack.key(), (int) pack.size());
        store.put(pack.key(), ByteBuffer.wrap(bytes, 0, bytes.length / 2));
        PointInTimeImage image = images.open(point, VDA);
        assertThrows(IOException.class, () -> assertRange(image, 40 * CHUNK, 15 * CHUNK));
        assertRange(image, 40 * CHUNK, CHUNK);
        assertThrows(IOException.class, () -> assertRange(image, 110 * CHUNK, CHUNK));
    }

    private void damage(int byteOfPack) throws IOException {
        ObjectInfo pack = pack();
        byte[] bytes = store.getWhole(pack.key(), (int) pack.size());
        bytes[byteOfPack] ^= 1;
        store.put(pack.key(), ByteBuffer.wrap(bytes));
    }

    private ObjectInfo pack() throws IOException {
        List<ObjectInfo> packs = ((ObjectStore) store).list(PackObjects.ALL).toList();
        assertEquals(1, packs.size());
        return packs.getFirst();
    }

    /** Lays all frames of the pack into a new one, in reverse, and tells so, as compaction does. */
    private PackId move(boolean deleteOld, PackId target) throws IOException {
        ObjectInfo old = pack();
        PackId from = PackObjects.id(old.key()).orElseThrow();
        FrameCodec codec = repository.codec();
        List<PackEntry> entries = new ArrayList<>(repository.entries(from, old.size()));
        Collections.reverse(entries);
        PackBuilder next = new PackBuilder(target, codec);
        List<Move> moves = new ArrayList<>();
        ChunkReader reader = new ChunkReader(repository);
        for (PackEntry entry : entries) {
            byte[] chunk = new byte[CHUNK];
            assertEquals(entry.id(), reader.read(entry.address(), chunk));
            moves.add(new Move(from, entry.address().offset(), entry.id(), next.add(codec.encode(entry.id(), chunk, 0))));
        }
        store.put(PackObjects.key(target), next.finish());
        repository.moves().put(moves);
        if (deleteOld) {
            store.delete(old.key());
        }
        return from;
    }

    @Test
    void whatWasMovedIsFoundAndComesInFewRequests() throws IOException {
        PackId from = move(true, new PackId(7, 7));
        PointInTimeImage image = images.open(point, VDA);
        StoreStatistics before = store.statistics();
        assertRange(image, 10 * CHUNK, 20 * CHUNK);
        // The old pack, which is gone; what was moved from it, a LIST and a GET; the new one.
        assertEquals(4, store.statistics().since(before).requests());
        StoreStatistics later = store.statistics();
        assertRange(image, 0, 10 * CHUNK);
        assertEquals(1, store.statistics().since(later).requests());
        assertRange(image, 0, (int) SIZE);
        move(true, new PackId(8, 8), from, new PackId(7, 7));
        try (ImageLibrary cold = library(repository)) {
            assertRange(cold.open(point, VDA), 0, (int) SIZE);
        }
        try (Repository again = Repository.open(store, key.isPresent() ? KeySource.of(key.get()) : KeySource.NONE);
                ImageLibrary cold = library(again)) {
            assertRange(cold.open(point, VDA), 0, (int) SIZE);
        }
    }

    /** The same once more, so that a chain comes of it. */
    private void move(boolean deleteOld, PackId target, PackId first, PackId second) throws IOException {
        assertEquals(second, move(deleteOld, target));
        assertTrue(repository.moves().fresh(first).stream().allMatch(move -> move.to().pack().equals(second)));
    }

    @Test
    void whatIsDamagedAtHomeAndLiesElsewhereIsRead() throws IOException {
        move(false, new PackId(7, 7));
        for (ObjectInfo pack : ((ObjectStore) store).list(PackObjects.ALL).toList()) {
            if (!pack.key().name().startsWith("0000000000000007")) {
                byte[] bytes = store.getWhole(pack.key(), (int) pack.size());
                bytes[20 * 257 * 256 + 5000] ^= 1;
                store.put(pack.key(), ByteBuffer.wrap(bytes, 0, bytes.length - 1_000_000));
            }
        }
        assertRange(images.open(point, VDA), 0, (int) SIZE);
    }

    @Test
    void aMoveToAnotherChunkIsNotFollowed() throws IOException {
        PackId from = PackObjects.id(pack().key()).orElseThrow();
        PackId target = new PackId(7, 7);
        FrameCodec codec = repository.codec();
        PackBuilder next = new PackBuilder(target, codec);
        byte[] other = new byte[CHUNK];
        new Random(99).nextBytes(other);
        ChunkId otherId = codec.id(other, 0);
        ChunkAddress place = next.add(codec.encode(otherId, other, 0));
        ChunkAddress wanted = repository.manifest(point).disk(VDA).orElseThrow().map().address(5);
        byte[] chunk = new byte[CHUNK];
        ChunkId id = new ChunkReader(repository).read(wanted, chunk);
        damage((int) wanted.byteOffset(ChunkSize.DEFAULT) + 300);
        store.put(PackObjects.key(target), next.finish());
        repository.moves().put(List.of(new Move(from, wanted.offset(), id, place)));
        IOException failure = assertThrows(IOException.class, () -> assertRange(images.open(point, VDA), 5 * CHUNK, CHUNK));
        assertTrue(failure.getMessage().contains("is damaged"), failure.getMessage());
    }

    @Test
    void movesInACircleEnd() throws IOException {
        PackId from = PackObjects.id(pack().key()).orElseThrow();
        ChunkAddress wanted = repository.manifest(point).disk(VDA).orElseThrow().map().address(5);
        ChunkAddress away = new ChunkAddress(new PackId(7, 7), 9, 9);
        ChunkId id = new ChunkReader(repository).read(wanted, new byte[CHUNK]);
        damage((int) wanted.byteOffset(ChunkSize.DEFAULT) + 300);
        repository.moves().put(List.of(new Move(from, wanted.offset(), id, away), new Move(away.pack(), 9, id, wanted)));
        assertThrows(IOException.class, () -> assertRange(images.open(point, VDA), 5 * CHUNK, CHUNK));
    }
}
