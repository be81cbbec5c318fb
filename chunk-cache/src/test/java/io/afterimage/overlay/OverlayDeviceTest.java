package io.afterimage.overlay;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.afterimage.block.BlockDevice;
import io.afterimage.block.BlockDeviceContract;
import io.afterimage.block.ByteRange;
import io.afterimage.block.DeviceFullException;
import io.afterimage.block.Extent;
import io.afterimage.block.MemoryDevice;
import io.afterimage.overlay.OverlayException.Reason;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class OverlayDeviceTest {

    private static final int BLOCK = 4096;
    private static final int SIZE = 20 * 1024 * 1024 + 1536;
    private static final long UNLIMITED = Long.MAX_VALUE / 2;

    @TempDir
    static Path folder;

    private static final AtomicLong COUNT = new AtomicLong();

    private Path place;
    private RecordedBase base;

    /** What a base is asked for. Holes beyond 16 MiB. */
    private static final class RecordedBase implements BlockDevice {

        private final MemoryDevice bytes = new MemoryDevice(SIZE);
        private final List<ByteRange> reads = new ArrayList<>();
        private final List<ByteRange> hints = new ArrayList<>();
        private final List<ByteRange> loans = new ArrayList<>();

        RecordedBase() {
            bytes.write(0, ByteBuffer.wrap(random(1, 16 << 20)));
        }

        @Override
        public long size() {
            return SIZE;
        }

        @Override
        public void read(long offset, ByteBuffer target) {
            reads.add(new ByteRange(offset, target.remaining()));
            bytes.read(offset, target);
        }

        @Override
        public void prefetch(ByteRange range) {
            hints.add(range);
        }

        @Override
        public boolean lendResident(long offset, int length, Borrower borrower) {
            loans.add(new ByteRange(offset, length));
            return true;
        }

        @Override
        public List<Extent> extents(ByteRange range, int limit) {
            return bytes.extents(range, limit);
        }

        @Override
        public void close() {}
    }

    private static byte[] random(long seed, int length) {
        byte[] bytes = new byte[length];
        new Random(seed).nextBytes(bytes);
        return bytes;
    }

    private static Path fresh(long size) throws IOException {
        Path made = Files.createDirectory(folder.resolve("o" + COUNT.incrementAndGet()));
        OverlayDevice.create(made, size);
        return made;
    }

    @BeforeEach
    void make() throws IOException {
        place = fresh(SIZE);
        base = new RecordedBase();
    }

    private OverlayDevice open() throws IOException {
        return OverlayDevice.open(place, base, UNLIMITED);
    }

    private static byte[] read(BlockDevice device, long offset, int length) throws IOException {
        byte[] bytes = new byte[length];
        device.read(offset, ByteBuffer.wrap(bytes));
        return bytes;
    }

    private static MemoryDevice memory(byte[] content) {
        MemoryDevice device = new MemoryDevice(content.length);
        device.write(0, ByteBuffer.wrap(content));
        return device;
    }

    @Nested
    final class OverTheBase extends BlockDeviceContract {
        @Override
        protected BlockDevice create(byte[] content) throws IOException {
            return OverlayDevice.open(fresh(content.length), memory(content), UNLIMITED);
        }
    }

    @Nested
    final class WrittenInPart extends BlockDeviceContract {
        @Override
        protected BlockDevice create(byte[] content) throws IOException {
            byte[] below = content.clone();
            Random random = new Random(5);
            List<ByteRange> changed = new ArrayList<>();
            for (int i = 0; i < 40; i++) {
                int offset = random.nextInt(content.length - 30_000);
                ByteRange range = new ByteRange(offset, 1 + random.nextInt(30_000));
                Arrays.fill(below, offset, (int) range.end(), (byte) i);
                changed.add(range);
            }
            OverlayDevice device = OverlayDevice.open(fresh(content.length), memory(below), UNLIMITED);
            for (ByteRange range : changed) {
                device.write(range.offset(), ByteBuffer.wrap(content, (int) range.offset(), (int) range.length()));
            }
            return device;
        }
    }

    @Nested
    final class Reopened extends BlockDeviceContract {
        @Override
        protected BlockDevice create(byte[] content) throws IOException {
            Path made = fresh(content.length);
            try (OverlayDevice device = OverlayDevice.open(made, new MemoryDevice(content.length), UNLIMITED)) {
                device.write(0, ByteBuffer.wrap(content));
                device.zero(new ByteRange(200_000, 400_000), true);
            }
            return OverlayDevice.open(made, new MemoryDevice(content.length), UNLIMITED);
        }
    }

    @Test
    void anAlignedWriteNeverReadsTheBase() throws IOException {
        try (OverlayDevice device = open()) {
            device.write(7L * BLOCK, ByteBuffer.wrap(random(2, 300 * BLOCK)));
            device.write(SIZE - 1536, ByteBuffer.wrap(random(3, 1536)));
            device.zero(new ByteRange(400L * BLOCK, 5L * BLOCK), true);
            device.zero(new ByteRange(500L * BLOCK, 5L * BLOCK), false);
            assertEquals(List.of(), base.reads);
        }
    }

    @Test
    void aWriteOfAPartOfABlockReadsThatBlockOnce() throws IOException {
        try (OverlayDevice device = open()) {
            device.write(7L * BLOCK + 100, ByteBuffer.wrap(random(2, 3 * BLOCK)));
            assertEquals(List.of(new ByteRange(7 * BLOCK, BLOCK), new ByteRange(10 * BLOCK, BLOCK)), base.reads);
            base.reads.clear();
            device.write(7L * BLOCK + 1, ByteBuffer.wrap(random(3, 50)));
            device.write(400L * BLOCK + 700, ByteBuffer.wrap(random(3, 512)));
            assertEquals(List.of(new ByteRange(400 * BLOCK, BLOCK)), base.reads);
        }
    }

    @Test
    void whatWasNotWrittenIsAskedOfTheBase() throws IOException {
        try (OverlayDevice device = open()) {
            device.write(10L * BLOCK, ByteBuffer.wrap(random(2, BLOCK)));
            device.zero(new ByteRange(20L * BLOCK, BLOCK), true);
            device.prefetch(new ByteRange(0, 30 * BLOCK));
            assertEquals(
                    List.of(new ByteRange(0, 10 * BLOCK), new ByteRange(11 * BLOCK, 9 * BLOCK), new ByteRange(21 * BLOCK, 9 * BLOCK)),
                    base.hints);
            assertTrue(device.lendResident(0, 10 * BLOCK, (_, _) -> {}));
            assertFalse(device.lendResident(0, 10 * BLOCK + 1, (_, _) -> {}));
            assertEquals(List.of(new ByteRange(0, 10 * BLOCK)), base.loans);
        }
    }

    @Test
    void extentsAreThoseOfBoth() throws IOException {
        try (OverlayDevice device = open()) {
            device.zero(new ByteRange(1 << 20, 1 << 20), true);
            device.zero(new ByteRange(3 << 20, 1 << 20), false);
            device.write(17 << 20, ByteBuffer.wrap(random(2, 1 << 20)));
            List<Extent> expected = List.of(
                    new Extent(0, 1 << 20, Extent.Kind.DATA),
                    new Extent(1 << 20, 1 << 20, Extent.Kind.HOLE),
                    new Extent(2 << 20, 1 << 20, Extent.Kind.DATA),
                    new Extent(3 << 20, 1 << 20, Extent.Kind.ZERO),
                    new Extent(4 << 20, 12 << 20, Extent.Kind.DATA),
                    new Extent(16 << 20, 1 << 20, Extent.Kind.HOLE),
                    new Extent(17 << 20, 1 << 20, Extent.Kind.DATA),
                    new Extent(18 << 20, SIZE - (18 << 20), Extent.Kind.HOLE));
            assertEquals(expected, device.extents(new ByteRange(0, SIZE), 100));
            for (int limit = 1; limit < 8; limit++) {
                assertEquals(expected.subList(0, limit), device.extents(new ByteRange(0, SIZE), limit));
            }
            assertEquals(
                    List.of(new ByteRange(1 << 20, 1 << 20), new ByteRange(3 << 20, 1 << 20), new ByteRange(17 << 20, 1 << 20)),
                    device.changes());
        }
    }

    @Test
    void theLimitIsFullAndRoomComesBack() throws IOException {
        try (OverlayDevice device = OverlayDevice.open(place, base, 1 << 20)) {
            device.write(0, ByteBuffer.wrap(random(2, 1 << 20)));
            assertEquals(1 << 20, device.usedBytes());
            assertThrows(DeviceFullException.class, () -> device.write(2 << 20, ByteBuffer.allocate(BLOCK)));
            assertThrows(DeviceFullException.class, () -> device.write((2 << 20) + 5, ByteBuffer.allocate(5)));
            assertThrows(DeviceFullException.class, () -> device.zero(new ByteRange(2 << 20, BLOCK), false));
            assertArrayEquals(read(base.bytes, 2 << 20, BLOCK), read(device, 2 << 20, BLOCK));
            device.write(5, ByteBuffer.wrap(random(3, 70_000)));
            device.zero(new ByteRange(4 << 20, 8 << 20), true);
            device.trim(new ByteRange(0, 512 << 10));
            assertEquals(512 << 10, device.usedBytes());
            device.write(4 << 20, ByteBuffer.wrap(random(3, 512 << 10)));
            device.flush();
        }
        try (OverlayDevice device = OverlayDevice.open(place, base, 1 << 20)) {
            assertEquals(1 << 20, device.usedBytes());
            assertThrows(DeviceFullException.class, () -> device.write(2 << 20, ByteBuffer.allocate(BLOCK)));
        }
    }

    @Test
    void whatIsReservedIsThereWhenItIsWritten() throws IOException {
        try (OverlayDevice device = OverlayDevice.open(place, base, 1 << 20)) {
            device.zero(new ByteRange(0, 1 << 20), false);
            assertThrows(DeviceFullException.class, () -> device.write(2 << 20, ByteBuffer.allocate(BLOCK)));
            device.write(17, ByteBuffer.wrap(random(3, (1 << 20) - 17)));
            assertEquals(1 << 20, device.usedBytes());
        }
    }

    @Test
    void whatIsTrimmedTakesNoRoomOnTheHost() throws IOException {
        Path data = place.resolve(LocalFolder.DATA);
        try (OverlayDevice device = open()) {
            device.write(0, ByteBuffer.wrap(random(2, 8 << 20)));
            device.flush();
            long full = blocks(data);
            assertTrue(full >= 8 << 20, full + " bytes");
            device.trim(new ByteRange(100, (8 << 20) - 200));
            device.flush();
            assertTrue(blocks(data) < 1 << 20, blocks(data) + " bytes");
            assertArrayEquals(new byte[(8 << 20) - 2 * BLOCK], read(device, BLOCK, (8 << 20) - 2 * BLOCK));
        }
    }

    private static long blocks(Path file) throws IOException {
        Process du = new ProcessBuilder("du", "--block-size=1", file.toString()).start();
        return Long.parseLong(new String(du.getInputStream().readAllBytes(), StandardCharsets.US_ASCII).split("\t", -1)[0]);
    }

    @Test
    void oneHasItAtATime() throws IOException {
        OverlayDevice device = open();
        assertEquals(Reason.IN_USE, assertThrows(OverlayException.class, this::open).reason());
        assertEquals(Reason.IN_USE, assertThrows(OverlayException.class, this::open).reason());
        device.write(0, ByteBuffer.wrap(random(2, 5)));
        device.close();
        device.close();
        assertThrows(IOException.class, () -> device.write(0, ByteBuffer.allocate(1)));
        open().close();
    }

    @Test
    void whatWasClosedIsThere() throws IOException {
        byte[] expected = read(base.bytes, 0, SIZE);
        Random random = new Random(9);
        for (int round = 0; round < 5; round++) {
            try (OverlayDevice device = open()) {
                for (int i = 0; i < 50; i++) {
                    byte[] bytes = random(random.nextLong(), 1 + random.nextInt(50_000));
                    int offset = random.nextInt(SIZE - bytes.length);
                    device.write(offset, ByteBuffer.wrap(bytes));
                    System.arraycopy(bytes, 0, expected, offset, bytes.length);
                    if (i % 10 == 0) {
                        device.flush();
                    }
                }
            }
            try (OverlayDevice device = open()) {
                assertArrayEquals(expected, read(device, 0, SIZE));
            }
        }
    }

    /** Each of many threads owns some bytes of every block, and none of them may lose any. */
    @Test
    void writersOfOneBlockDoNotDisturbEachOther() throws Exception {
        int threads = 8;
        int blocks = 200;
        byte[] expected = read(base.bytes, 0, blocks * BLOCK);
        try (OverlayDevice device = open();
                ExecutorService executor = Executors.newVirtualThreadPerTaskExecutor()) {
            List<Future<?>> running = new ArrayList<>();
            for (int t = 0; t < threads; t++) {
                int own = t;
                for (int block = 0; block < blocks; block++) {
                    Arrays.fill(expected, block * BLOCK + own * 512, block * BLOCK + own * 512 + 512, (byte) (own + block));
                }
                running.add(executor.submit(() -> {
                    byte[] bytes = new byte[512];
                    for (int block = 0; block < blocks; block++) {
                        Arrays.fill(bytes, (byte) (own + block));
                        device.write((long) block * BLOCK + own * 512L, ByteBuffer.wrap(bytes));
                        assertArrayEquals(bytes, read(device, (long) block * BLOCK + own * 512L, 512));
                        if (block % 20 == own) {
                            device.flush();
                        }
                    }
                    return null;
                }));
            }
            for (Future<?> each : running) {
                each.get();
            }
            assertArrayEquals(expected, read(device, 0, expected.length));
        }
        try (OverlayDevice device = open()) {
            assertArrayEquals(expected, read(device, 0, expected.length));
        }
    }

    private void assertDamaged(String clause) {
        OverlayException thrown = assertThrows(OverlayException.class, this::open);
        assertEquals(Reason.DAMAGED, thrown.reason());
        assertTrue(thrown.getMessage().contains(clause), thrown.getMessage());
    }

    private void spoil(String file, long position) throws IOException {
        try (RandomAccessFile spoiled = new RandomAccessFile(place.resolve(file).toFile(), "rw")) {
            spoiled.seek(position);
            int was = spoiled.read();
            spoiled.seek(position);
            spoiled.write(was ^ 4);
        }
    }

    private void truncate(String file, long size) throws IOException {
        try (RandomAccessFile cut = new RandomAccessFile(place.resolve(file).toFile(), "rw")) {
            cut.setLength(size);
        }
    }

    @Test
    void damageIsSaidInASentence() throws IOException {
        try (OverlayDevice device = open()) {
            device.write(0, ByteBuffer.wrap(random(2, 1 << 20)));
        }
        byte[] map = Files.readAllBytes(place.resolve(OverlayMap.NAME));
        for (long position : new long[] {8, 17, 30, 50}) {
            spoil(OverlayMap.NAME, position);
            OverlayException thrown = assertThrows(OverlayException.class, this::open);
            assertTrue(thrown.getMessage().contains("its header") || thrown.reason() == Reason.UNSUPPORTED_FORMAT, thrown.getMessage());
            Files.write(place.resolve(OverlayMap.NAME), map);
        }
        spoil(OverlayMap.NAME, 3);
        assertDamaged("another file");
        Files.write(place.resolve(OverlayMap.NAME), map);
        spoil(OverlayMap.NAME, BLOCK + 40);
        assertDamaged("its checkpoint");
        Files.write(place.resolve(OverlayMap.NAME), map);
        truncate(OverlayMap.NAME, BLOCK + 100);
        assertDamaged("its checkpoint");
        truncate(OverlayMap.NAME, 100);
        assertDamaged("cut off");
        Files.write(place.resolve(OverlayMap.NAME), map);
        truncate(LocalFolder.DATA, 1 << 20);
        assertDamaged("there are 1048576 bytes");
    }

    /** As a power cut leaves it, and as it must not be taken for: a flushed record that is spoilt, with others behind it. */
    @Test
    void aSpoiltRecordEndsTheLogOnlyIfItIsTheLast() throws IOException {
        Path saved = folder.resolve("saved");
        byte[] before = read(base.bytes, 0, BLOCK);
        try (OverlayDevice device = open()) {
            device.write(5L * BLOCK, ByteBuffer.wrap(random(4, BLOCK)));
            device.flush();
            device.write(0, ByteBuffer.wrap(random(2, BLOCK)));
            device.flush();
            Files.copy(place.resolve(OverlayMap.NAME), saved);
        }
        Files.copy(saved, place.resolve(OverlayMap.NAME), StandardCopyOption.REPLACE_EXISTING);
        spoil(OverlayMap.NAME, 2 * BLOCK + 50);
        try (OverlayDevice device = open()) {
            assertArrayEquals(before, read(device, 0, BLOCK));
            assertArrayEquals(random(4, BLOCK), read(device, 5L * BLOCK, BLOCK));
        }
        Files.copy(saved, place.resolve(OverlayMap.NAME), StandardCopyOption.REPLACE_EXISTING);
        spoil(OverlayMap.NAME, BLOCK + 50);
        assertDamaged("in the middle");
    }
}
