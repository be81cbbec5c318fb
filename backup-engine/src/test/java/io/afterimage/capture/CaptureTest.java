package io.afterimage.capture;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.afterimage.block.BlockDevice;
import io.afterimage.block.ByteRange;
import io.afterimage.block.MemoryDevice;
import io.afterimage.catalog.BackupLease;
import io.afterimage.catalog.Catalog;
import io.afterimage.catalog.Point;
import io.afterimage.catalog.PointKind;
import io.afterimage.chunk.ChunkSize;
import io.afterimage.index.ChunkIndex;
import io.afterimage.manifest.DiskMap;
import io.afterimage.manifest.DiskName;
import io.afterimage.manifest.MachineName;
import io.afterimage.manifest.Manifest;
import io.afterimage.manifest.ManifestObjects;
import io.afterimage.manifest.PointId;
import io.afterimage.repository.PointBytes;
import io.afterimage.repository.PointWriter;
import io.afterimage.repository.Repository;
import io.afterimage.repository.TestRepositories;
import io.afterimage.store.KeyPrefix;
import io.afterimage.store.MemoryObjectStore;
import io.afterimage.store.ObjectInfo;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Points of devices in memory, whose every change is known to the test, in a repository in memory. */
@ParameterizedClass(name = "encrypted: {0}")
@ValueSource(booleans = {false, true})
class CaptureTest {

    @Parameter
    private boolean encrypted;

    private static final MachineName MACHINE = new MachineName("web");
    private static final DiskName VDA = new DiskName("vda");
    private static final int CHUNK = ChunkSize.DEFAULT.bytes();
    private static final long SIZE = 300L * CHUNK + 512 * 3;

    @TempDir
    private Path folder;

    private final SecureRandom secureRandom = new SecureRandom();
    private final List<byte[]> references = new ArrayList<>();
    private Repository repository;
    private ChunkIndex index;
    private long clock = 1_800_000_000_000L;

    @BeforeEach
    void open() throws IOException {
        repository = TestRepositories.create(new MemoryObjectStore(), encrypted);
        index = ChunkIndex.open(folder);
    }

    @AfterEach
    void close() throws IOException {
        index.close();
        repository.close();
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4})
    void everyPointOfAHistoryReadsAsTheDiskWas(long seed) throws IOException {
        Random random = new Random(seed);
        MemoryDevice disk = new MemoryDevice(SIZE);
        List<Point> points = new ArrayList<>();
        for (int point = 0; point < 9; point++) {
            TreeSet<Long> dirty = new TreeSet<>();
            for (int i = 0; i < 40; i++) {
                change(random, disk, dirty);
            }
            boolean byBitmap = point > 0 && random.nextInt(4) > 0;
            points.add(capture(byBitmap ? SourceDisk.changed(VDA, disk, ranges(dirty)) : SourceDisk.whole(VDA, disk, Optional.empty())));
            references.add(bytes(disk));
        }
        for (int i = 0; i < points.size(); i++) {
            assertArrayEquals(references.get(i), PointBytes.read(repository, points.get(i), VDA), "point " + i);
        }
    }

    /** More than is held in memory at a time, so that all of that is used again, and again for other lengths. */
    @Test
    void aLongDiskReadsAsItWas() throws IOException {
        Random random = new Random(11);
        long size = 1100L * CHUNK + 512;
        MemoryDevice disk = new MemoryDevice(size);
        byte[] chunk = new byte[CHUNK];
        for (long at = 0; at < size; at += CHUNK) {
            random.nextBytes(chunk);
            // Noise, what compresses more or less well, and zeros.
            int kind = random.nextInt(8);
            if (kind > 5) {
                Arrays.fill(chunk, random.nextInt(CHUNK), CHUNK, (byte) kind);
            }
            if (kind > 0) {
                disk.write(at, ByteBuffer.wrap(chunk, 0, (int) Math.min(CHUNK, size - at)));
            }
        }
        Point first = capture(SourceDisk.whole(VDA, disk, Optional.empty()));
        assertArrayEquals(bytes(disk), PointBytes.read(repository, first, VDA));
        fill(disk, 5, 1, 12);
        fill(disk, 400, 100, 13);
        Point second = capture(SourceDisk.whole(VDA, disk, Optional.empty()));
        assertArrayEquals(bytes(disk), PointBytes.read(repository, second, VDA));
    }

    /** One random change, as a guest would make it: unaligned, over chunk borders, zeroing what held data. */
    private static void change(Random random, BlockDevice disk, SortedSet<Long> dirty) throws IOException {
        long offset = random.nextLong(SIZE / 512) * 512;
        int length = (int) Math.min(SIZE - offset, 512L * (1 + random.nextInt(400)));
        if (random.nextInt(3) == 0) {
            disk.zero(new ByteRange(offset, length), true);
        } else {
            byte[] bytes = new byte[length];
            if (random.nextInt(6) > 0) {
                random.nextBytes(bytes);
            }
            disk.write(offset, ByteBuffer.wrap(bytes));
        }
        for (long chunk = offset / CHUNK; chunk * CHUNK < offset + length; chunk++) {
            dirty.add(chunk);
        }
    }

    private static List<ByteRange> ranges(SortedSet<Long> chunks) {
        return chunks.stream()
                .map(chunk -> ByteRange.between(chunk * CHUNK, Math.min(SIZE, (chunk + 1) * CHUNK)))
                .toList();
    }

    @Test
    void anIncrementReadsWhatIsDirtyAndStoresWhatIsNew() throws IOException {
        MemoryDevice disk = new MemoryDevice(SIZE);
        fill(disk, 0, 100, 1);
        Point full = capture(SourceDisk.whole(VDA, disk, Optional.empty()));
        assertEquals(PointKind.FULL, full.kind());
        assertEquals(SIZE, full.bytes().dirty());
        assertEquals(100L * CHUNK, full.bytes().read());
        fill(disk, 10, 5, 2);
        disk.zero(new ByteRange(20L * CHUNK, CHUNK), true);
        List<ByteRange> dirty = List.of(new ByteRange(10L * CHUNK, 6L * CHUNK), new ByteRange(20L * CHUNK, CHUNK));
        Point increment = capture(SourceDisk.changed(VDA, disk, dirty));
        assertEquals(PointKind.INCREMENTAL, increment.kind());
        assertEquals(7L * CHUNK, increment.bytes().dirty());
        assertEquals(6L * CHUNK, increment.bytes().read());
        assertEquals(CHUNK, increment.bytes().deduplicated());
        assertTrue(increment.bytes().stored() >= 5L * CHUNK && increment.bytes().stored() <= 5L * CHUNK * 1.02);
        assertEquals(
                List.of(new ByteRange(10L * CHUNK, 5L * CHUNK), new ByteRange(20L * CHUNK, CHUNK)),
                repository.manifest(increment).disk(VDA).orElseThrow().changed());
        assertArrayEquals(bytes(disk), PointBytes.read(repository, increment, VDA));
    }

    @Test
    void aDiskReadWholeStoresOnlyWhatDiffers() throws IOException {
        MemoryDevice disk = new MemoryDevice(SIZE);
        fill(disk, 0, 200, 1);
        capture(SourceDisk.whole(VDA, disk, Optional.empty()));
        fill(disk, 150, 2, 7);
        Point second = capture(SourceDisk.whole(VDA, disk, Optional.of("its bitmap was lost")));
        assertEquals(PointKind.INCREMENTAL, second.kind());
        assertEquals(198L * CHUNK, second.bytes().deduplicated());
        assertTrue(second.bytes().stored() <= 2L * CHUNK * 1.02);
        assertEquals(
                List.of(new ByteRange(150L * CHUNK, 2L * CHUNK)),
                repository.manifest(second).disk(VDA).orElseThrow().changed());
    }

    @Test
    void aLostIndexCostsNothingButTheReadingOfPackIndexes() throws IOException {
        MemoryDevice disk = new MemoryDevice(SIZE);
        fill(disk, 0, 200, 1);
        capture(SourceDisk.whole(VDA, disk, Optional.empty()));
        index.close();
        index = ChunkIndex.open(folder.resolve("another"));
        Point second = capture(SourceDisk.whole(VDA, disk, Optional.of("its bitmap was lost")));
        assertEquals(0, second.bytes().stored());
        assertArrayEquals(bytes(disk), PointBytes.read(repository, second, VDA));
    }

    @Test
    void aPackThatIsGoneIsNotReferredTo() throws IOException {
        MemoryDevice disk = new MemoryDevice(SIZE);
        fill(disk, 0, 20, 1);
        Point first = capture(SourceDisk.whole(VDA, disk, Optional.empty()));
        delete(first);
        repository.store().delete(repository.store().list(new KeyPrefix("packs/")).toList().stream()
                .map(ObjectInfo::key)
                .toList());
        Point second = capture(SourceDisk.whole(VDA, disk, Optional.empty()));
        assertEquals(PointKind.FULL, second.kind());
        assertTrue(second.bytes().stored() >= 20L * CHUNK);
        assertArrayEquals(bytes(disk), PointBytes.read(repository, second, VDA));
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 2, 4})
    void anyPointCanBeDeletedAndAllOthersStillRead(int victim) throws IOException {
        MemoryDevice disk = new MemoryDevice(SIZE);
        List<Point> points = new ArrayList<>();
        for (int i = 0; i < 5; i++) {
            fill(disk, 40L * i, 60, i);
            points.add(capture(i == 0
                    ? SourceDisk.whole(VDA, disk, Optional.empty())
                    : SourceDisk.changed(VDA, disk, List.of(new ByteRange(40L * i * CHUNK, 60L * CHUNK)))));
            references.add(bytes(disk));
        }
        delete(points.get(victim));
        for (int i = 0; i < 5; i++) {
            if (i != victim) {
                assertArrayEquals(references.get(i), PointBytes.read(repository, points.get(i), VDA), "point " + i);
            }
        }
        assertEquals(4, repository.catalog().pointIds(MACHINE).size());
    }

    @Test
    void aFailingSourceLeavesNoPoint() throws IOException {
        MemoryDevice disk = new MemoryDevice(SIZE);
        fill(disk, 0, 100, 1);
        BlockDevice failing = new FailingDevice(disk, 50L * CHUNK);
        assertThrows(IOException.class, () -> capture(SourceDisk.whole(VDA, failing, Optional.empty())));
        assertTrue(repository.catalog().machines().isEmpty());
        Point point = capture(SourceDisk.whole(VDA, disk, Optional.empty()));
        assertArrayEquals(bytes(disk), PointBytes.read(repository, point, VDA));
    }

    @Test
    void aSecondBackupOfTheSameMachineIsRefused() throws IOException {
        try (BackupLease held = BackupLease.acquire(repository.store(), InstantSource.system(), MACHINE)) {
            IOException refusal = assertThrows(
                    IOException.class, () -> BackupLease.acquire(repository.store(), InstantSource.system(), MACHINE));
            assertTrue(refusal.getMessage().startsWith("Another backup of 'web' is running"), refusal.getMessage());
            held.check();
        }
        BackupLease.acquire(repository.store(), InstantSource.system(), MACHINE).close();
    }

    /** One repository reads the disk and the other is sent it, in random order, by many threads at once: all is the same but where packs lie. */
    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3})
    void aDiskThatIsSentMakesTheSamePointAsOneThatIsRead(long seed) throws IOException {
        Random random = new Random(seed);
        MemoryDevice disk = new MemoryDevice(SIZE);
        try (Repository other = TestRepositories.create(new MemoryObjectStore(), encrypted);
                ChunkIndex otherIndex = ChunkIndex.open(folder.resolve("other"))) {
            for (int point = 0; point < 5; point++) {
                TreeSet<Long> dirty = new TreeSet<>();
                for (int i = 0; i < 30; i++) {
                    change(random, disk, dirty);
                }
                boolean whole = point == 0 || random.nextInt(4) == 0;
                List<ByteRange> ranges = whole ? List.of(new ByteRange(0, SIZE)) : ranges(dirty);
                Point read = capture(whole ? SourceDisk.whole(VDA, disk, Optional.empty()) : SourceDisk.changed(VDA, disk, ranges));
                Point sent = capture(other, otherIndex, new PushedDisk(
                        VDA,
                        SIZE,
                        whole ? Optional.empty() : Optional.of((long) dirty.size() * CHUNK),
                        Optional.empty(),
                        target -> send(disk, ranges, target, random)));
                assertEquals(shape(repository, read), shape(other, sent), "point " + point);
                assertArrayEquals(bytes(disk), PointBytes.read(other, sent, VDA), "point " + point);
                assertEquals(read.bytes().dirty(), sent.bytes().dirty());
                assertEquals(read.disks().getFirst().change(), sent.disks().getFirst().change());
            }
        }
    }

    /** As a hypervisor sends: requests of many sizes, zeros by word, in no order, sixteen at once. */
    private static void send(MemoryDevice disk, List<ByteRange> ranges, BlockDevice target, Random random) throws IOException {
        List<ByteRange> requests = new ArrayList<>();
        for (ByteRange range : ranges) {
            for (long at = range.offset(); at < range.end(); ) {
                long length = Math.min(range.end() - at, 512L * (1 + random.nextInt(random.nextBoolean() ? 600 : 130)));
                requests.add(new ByteRange(at, length));
                at += length;
            }
        }
        Collections.shuffle(requests, random);
        try (var threads = Executors.newFixedThreadPool(16)) {
            var running = requests.stream().map(request -> threads.submit(() -> {
                ByteBuffer bytes = ByteBuffer.allocate(Math.toIntExact(request.length()));
                disk.read(request.offset(), bytes);
                boolean zeros = true;
                for (byte b : bytes.array()) {
                    zeros &= b == 0;
                }
                if (zeros) {
                    target.zero(request, true);
                } else {
                    target.write(request.offset(), bytes.flip());
                }
                return null;
            })).toList();
            for (var request : running) {
                try {
                    request.get();
                } catch (ExecutionException | InterruptedException e) {
                    throw new IOException(e);
                }
            }
        }
    }

    /** Which chunks there are, and which have changed; not where they lie. */
    private static String shape(Repository in, Point point) throws IOException {
        DiskMap disk = in.manifest(point).disk(VDA).orElseThrow();
        StringBuilder shape = new StringBuilder();
        for (long chunk = 0; chunk < disk.map().chunks(); chunk++) {
            shape.append(disk.map().address(chunk) == null ? '-' : '#');
        }
        return shape + " " + disk.changed();
    }

    @Test
    void aSenderThatKeepsSomethingBackMakesNoPoint() throws IOException {
        MemoryDevice disk = new MemoryDevice(SIZE);
        fill(disk, 0, 100, 1);
        List<ByteRange> part = List.of(new ByteRange(0, 100L * CHUNK));
        IOException refusal = assertThrows(IOException.class, () -> capture(repository, index, new PushedDisk(
                VDA, SIZE, Optional.empty(), Optional.empty(), target -> send(disk, part, target, new Random(1)))));
        assertTrue(refusal.getMessage().contains("only 100 of 301 chunks have come"), refusal.getMessage());
        assertTrue(repository.catalog().machines().isEmpty());
    }

    @Test
    void whatIsSentTwiceIsRefused() throws IOException {
        IOException refusal = assertThrows(IOException.class, () -> capture(repository, index, new PushedDisk(
                VDA, SIZE, Optional.empty(), Optional.empty(), target -> {
                    target.write(0, ByteBuffer.allocate(CHUNK));
                    target.write(CHUNK / 2, ByteBuffer.allocate(CHUNK));
                })));
        assertTrue(refusal.getMessage().contains("have come already"), refusal.getMessage());
    }

    /** The sender hears of it by a failing write, and is waited for. */
    @Test
    void aSenderIsToldWhenTheCaptureFails() throws IOException {
        MemoryDevice disk = new MemoryDevice(SIZE);
        fill(disk, 0, 300, 1);
        boolean[] ended = {false};
        IllegalStateException failure = new IllegalStateException("the capture fails");
        Progress failing = new Progress() {
            @Override
            public void total(long bytes) {}

            @Override
            public void advance(long bytes) {
                throw failure;
            }
        };
        PushedDisk sent = new PushedDisk(VDA, SIZE, Optional.empty(), Optional.empty(), target -> {
            try {
                send(disk, List.of(new ByteRange(0, SIZE)), target, new Random(1));
            } finally {
                ended[0] = true;
            }
        });
        IOException thrown = assertThrows(IOException.class, () -> capture(repository, index, sent, failing));
        assertEquals(failure, thrown.getCause());
        assertTrue(ended[0]);
    }

    private Point capture(SourceDisk disk) throws IOException {
        return capture(repository, index, disk);
    }

    private Point capture(Repository repository, ChunkIndex index, DiskSource disk) throws IOException {
        return capture(repository, index, disk, Progress.NONE);
    }

    private Point capture(Repository repository, ChunkIndex index, DiskSource disk, Progress progress) throws IOException {
        Instant time = Instant.ofEpochMilli(clock++);
        try (BackupLease lease = BackupLease.acquire(repository.store(), InstantSource.system(), MACHINE)) {
            Optional<Manifest> parent = repository.parent(lease, repository.catalog().pointIds(MACHINE).reversed());
            try (PointWriter writer = new PointWriter(repository, lease, index, parent, secureRandom)) {
                return new Capture(MACHINE, PointId.at(time, secureRandom), time, parent, new TreeMap<>())
                        .run(repository, writer, List.of(disk), progress)
                        .commit();
            }
        }
    }

    private void delete(Point point) throws IOException {
        repository.store().delete(Catalog.key(point.machine(), point.id()));
        repository.store().delete(ManifestObjects.key(point.machine(), point.id()));
    }

    private static void fill(MemoryDevice disk, long chunk, int count, long seed) {
        byte[] bytes = new byte[count * CHUNK];
        new Random(seed * 1_000_003 + chunk).nextBytes(bytes);
        disk.write(chunk * CHUNK, ByteBuffer.wrap(bytes));
    }

    private static byte[] bytes(MemoryDevice disk) {
        ByteBuffer bytes = ByteBuffer.allocate(Math.toIntExact(disk.size()));
        disk.read(0, bytes);
        return bytes.array();
    }

    /** Reads well up to a place, and never behind it. */
    private record FailingDevice(BlockDevice device, long end) implements BlockDevice {

        @Override
        public long size() {
            return device.size();
        }

        @Override
        public void read(long offset, ByteBuffer target) throws IOException {
            if (offset + target.remaining() > end) {
                throw new IOException("the source fails from here on");
            }
            device.read(offset, target);
        }

        @Override
        public void close() {}
    }
}
