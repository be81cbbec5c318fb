package io.afterimage.boot;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.afterimage.block.BlockDevice;
import io.afterimage.block.ByteRange;
import io.afterimage.block.ForwardingDevice;
import io.afterimage.block.MemoryDevice;
import io.afterimage.capture.Capture;
import io.afterimage.capture.Progress;
import io.afterimage.capture.SourceDisk;
import io.afterimage.catalog.BackupLease;
import io.afterimage.catalog.HeldPoint;
import io.afterimage.catalog.LeaseTerms;
import io.afterimage.catalog.OpenPoints;
import io.afterimage.catalog.Point;
import io.afterimage.chunk.ChunkSize;
import io.afterimage.fetch.FetchSettings;
import io.afterimage.fetch.StallingStore;
import io.afterimage.image.ImageLibrary;
import io.afterimage.index.ChunkIndex;
import io.afterimage.keys.Secret;
import io.afterimage.manifest.DiskName;
import io.afterimage.manifest.MachineName;
import io.afterimage.manifest.Manifest;
import io.afterimage.manifest.PointId;
import io.afterimage.profile.BootProfile;
import io.afterimage.profile.BootProfile.Read;
import io.afterimage.profile.BootProfiles;
import io.afterimage.repository.PointWriter;
import io.afterimage.repository.Repository;
import io.afterimage.store.CountingStore;
import io.afterimage.store.MemoryObjectStore;
import io.afterimage.store.Operation;
import java.io.IOException;
import java.lang.reflect.Method;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.stream.LongStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.ValueSource;

/** Boots, and what is none, of a disk of 16 MiB whose every chunk has data. */
@ParameterizedClass(name = "encrypted: {0}")
@ValueSource(booleans = {false, true})
class BootProfilingTest {

    private static final int CHUNK = 16384;
    private static final int CHUNKS = 1024;
    private static final DiskName VDA = new DiskName("vda");
    private static final MachineName WEB = new MachineName("web");
    private static final Duration PATIENCE = Duration.ofSeconds(30);

    @Parameter
    private boolean encrypted;

    @TempDir
    private Path folder;

    private final StallingStore objects = new StallingStore(new MemoryObjectStore());
    private final CountingStore store = new CountingStore(objects);
    private final AtomicLong nanos = new AtomicLong();
    private Repository repository;
    private BootProfiles profiles;
    private Point point;
    private ImageLibrary images;

    @BeforeEach
    void capture() throws IOException {
        SecureRandom random = new SecureRandom();
        repository = encrypted
                ? Repository.createEncrypted(store, new ChunkSize(CHUNK), Secret.keyFile(Secret.newKeyFile(random)), random)
                : Repository.create(store, new ChunkSize(CHUNK), random);
        profiles = new BootProfiles(repository);
        byte[] bytes = new byte[CHUNKS * CHUNK];
        new Random(1).nextBytes(bytes);
        MemoryDevice disk = new MemoryDevice(bytes.length);
        disk.write(0, ByteBuffer.wrap(bytes));
        point = capture(WEB, SourceDisk.whole(VDA, disk, Optional.empty()), Optional.empty());
        images = library();
    }

    /** @param base whose point the new one counts from, if it is another machine's */
    private Point capture(MachineName machine, SourceDisk disk, Optional<Point> base) throws IOException {
        SecureRandom random = new SecureRandom();
        Instant now = Instant.now();
        Optional<Manifest> parent = base.isPresent() ? Optional.of(repository.manifest(base.get())) : Optional.empty();
        try (ChunkIndex index = ChunkIndex.open(folder);
                BackupLease lease = BackupLease.acquire(store, InstantSource.system(), machine);
                PointWriter writer = new PointWriter(repository, lease, index, parent, random)) {
            return new Capture(
                            machine, PointId.at(now, random), now, parent, new TreeMap<>(),
                            base.map(below -> new Point.Base(below.machine(), new TreeMap<>(Map.of(VDA, VDA)))))
                    .run(repository, writer, List.of(disk), Progress.NONE)
                    .commit();
        }
    }

    /** With nothing in its memory. */
    private ImageLibrary library() {
        return new ImageLibrary(repository, new OpenPoints(new MemoryObjectStore(), InstantSource.system(), LeaseTerms.DEFAULT), 128L << 20, Optional.empty(), FetchSettings.DEFAULT);
    }

    @AfterEach
    void close() throws IOException {
        images.close();
        repository.close();
    }

    private BlockDevice open(Occasion occasion) throws IOException {
        return open(occasion, point);
    }

    private BlockDevice open(Occasion occasion, Point point) throws IOException {
        return new BootProfiling(repository, occasion, nanos::get).watch(images.open(point, VDA), HeldPoint.of(point), VDA);
    }

    private static void read(BlockDevice device, long offset, int length) throws IOException {
        device.read(offset, ByteBuffer.allocate(length));
    }

    /** As firmware and a kernel would: sectors one by one, then files here and there. */
    private static void boot(BlockDevice device, long... chunks) throws IOException {
        for (int sector = 0; sector < 40; sector++) {
            read(device, 512L * sector, 512);
        }
        for (long chunk : chunks) {
            read(device, chunk * CHUNK + 4096, 8192);
        }
    }

    /** Without firmware: what a kernel reads of a disk that it was not booted from. */
    private static void mount(BlockDevice device, long... chunks) throws IOException {
        read(device, 0, 4096);
        for (long chunk : chunks) {
            read(device, chunk * CHUNK + 4096, 8192);
        }
    }

    private static long[] every(int step, int from, int count) {
        return LongStream.range(0, count).map(i -> from + i * step).toArray();
    }

    private Optional<BootProfile> profile() throws IOException {
        return profiles.find(WEB, VDA);
    }

    private long requests() {
        return store.statistics().of(Operation.GET).requests();
    }

    private static void await(BooleanSupplier condition, String what) {
        for (long end = System.nanoTime() + PATIENCE.toNanos(); !condition.getAsBoolean(); LockSupport.parkNanos(1_000_000)) {
            assertTrue(System.nanoTime() < end, what);
        }
    }

    @Test
    void theFirstBootLeavesWhatItRead() throws IOException {
        try (BlockDevice device = open(Occasion.UNKNOWN)) {
            nanos.addAndGet(7_000_000);
            boot(device, 500, 3, 900, 3, 500, 7);
            nanos.addAndGet(2_000_000_000);
            read(device, 100L * CHUNK, 256 << 10);
        }
        BootProfile profile = profile().orElseThrow();
        assertEquals(
                List.of(new Read(0, 20480, 0), new Read(500L * CHUNK + 4096, 8192, 0), new Read(3L * CHUNK + 4096, 8192, 0),
                        new Read(900L * CHUNK + 4096, 8192, 0), new Read(7L * CHUNK + 4096, 8192, 0), new Read(100L * CHUNK, 256 << 10, 2000)),
                profile.reads());
        assertTrue(profile.proven());
        assertEquals(point.id(), profile.point());
    }

    @Test
    void theSecondBootFindsAtHandWhatTheFirstOneRead() throws IOException {
        long[] files = every(7, 20, 100);
        try (BlockDevice device = open(Occasion.UNKNOWN)) {
            boot(device, files);
        }
        long alone = requests();
        images.close();
        images = library();
        Foretold image = new Foretold(images.open(point, VDA));
        objects.stall();
        try (BlockDevice device = new BootProfiling(repository, Occasion.BOOT, nanos::get).watch(image, HeldPoint.of(point), VDA)) {
            // Neighbours are found among what is known to be wanted: a store that answers at once would be asked for each by itself.
            await(() -> image.ranges.get() == 1 + files.length, "all are asked for");
            objects.resume();
            ByteBuffer target = ByteBuffer.allocate(8192);
            // Nothing was read yet: what is at hand was fetched ahead. The first of it and the last.
            await(() -> device.readResident(4096, target.clear()), "the first chunk is fetched ahead");
            await(() -> device.readResident(files[99] * CHUNK + 4096, target.clear()), "the last chunk is fetched ahead");
            await(() -> device.readResident(CHUNK, target.clear()), "what follows the first chunk is fetched ahead");
            for (long file : files) {
                await(() -> device.readResident(file * CHUNK + 4096, target.clear()), "all are fetched ahead");
            }
            long before = requests();
            boot(device, files);
            assertEquals(before, requests());
        }
        // Of those that find a request free at once each may go alone; the others come together with their neighbours.
        long atOnce = FetchSettings.DEFAULT.background();
        assertTrue(requests() - alone <= alone + atOnce, () -> (requests() - alone) + " requests, without a profile " + alone);
        assertEquals(0, profile().orElseThrow().millis());
    }

    /** A device that counts what it is told to fetch ahead. */
    private static final class Foretold extends ForwardingDevice {

        private final AtomicInteger ranges = new AtomicInteger();

        Foretold(BlockDevice device) {
            super(device);
        }

        @Override
        public void read(long offset, ByteBuffer target) throws IOException {
            device().read(offset, target);
        }

        @Override
        public boolean readResident(long offset, ByteBuffer target) {
            return device().readResident(offset, target);
        }

        @Override
        public void prefetch(ByteRange range) {
            device().prefetch(range);
            ranges.incrementAndGet();
        }
    }

    @Test
    void aBootThatReadsTheSameLeavesTheProfileAsItIs() throws IOException {
        try (BlockDevice device = open(Occasion.UNKNOWN)) {
            boot(device, every(7, 20, 100));
        }
        long puts = store.statistics().of(Operation.PUT).requests();
        try (BlockDevice device = open(Occasion.BOOT)) {
            boot(device, every(7, 20, 98));
        }
        try (BlockDevice device = open(Occasion.UNKNOWN)) {
            boot(device, every(7, 27, 100));
        }
        assertEquals(puts, store.statistics().of(Operation.PUT).requests());
    }

    @Test
    void aBootThatReadsAnythingElseReplacesIt() throws IOException {
        try (BlockDevice device = open(Occasion.UNKNOWN)) {
            boot(device, every(7, 20, 100));
        }
        BootProfile old = profile().orElseThrow();
        try (BlockDevice device = open(Occasion.UNKNOWN)) {
            boot(device, every(9, 21, 100));
        }
        assertFalse(old.reads().equals(profile().orElseThrow().reads()));
    }

    @Test
    void aBootThatWasCutShortReplacesNothing() throws IOException {
        try (BlockDevice device = open(Occasion.UNKNOWN)) {
            boot(device, every(7, 20, 50));
            nanos.addAndGet(1_000_000_000);
            boot(device, every(7, 370, 50));
        }
        BootProfile whole = profile().orElseThrow();
        assertEquals(1000, whole.millis());
        try (BlockDevice device = open(Occasion.BOOT)) {
            boot(device, every(7, 20, 35));
        }
        assertEquals(whole, profile().orElseThrow());
    }

    @Test
    void whoReadsEverythingLeavesNoProfile() throws IOException {
        for (int step : new int[] {65536, 262144, 2 << 20}) {
            try (BlockDevice device = open(Occasion.UNKNOWN)) {
                for (long at = 0; at < device.size(); at += step) {
                    read(device, at, step);
                }
            }
        }
        // A program that guesses the format first, or a file system's tools.
        try (BlockDevice device = open(Occasion.UNKNOWN)) {
            read(device, 0, 2048);
            for (long at = 0; at < device.size(); at += 2 << 20) {
                read(device, at, 2 << 20);
            }
        }
        // One who looks what is there.
        try (BlockDevice device = open(Occasion.UNKNOWN)) {
            read(device, 0, 4096);
            read(device, device.size() - 4096, 4096);
        }
        // One who begins anywhere.
        try (BlockDevice device = open(Occasion.UNKNOWN)) {
            read(device, 8192, 4096);
            mount(device, every(7, 20, 100));
        }
        assertEquals(Optional.empty(), profile());
    }

    @Test
    void whatOnlyLooksLikeABootGivesWayToOne() throws IOException {
        try (BlockDevice device = open(Occasion.UNKNOWN)) {
            mount(device, every(7, 20, 100));
        }
        assertFalse(profile().orElseThrow().proven());
        try (BlockDevice device = open(Occasion.BOOT)) {
            mount(device, every(9, 21, 100));
        }
        BootProfile proven = profile().orElseThrow();
        assertTrue(proven.proven());
        try (BlockDevice device = open(Occasion.UNKNOWN)) {
            mount(device, every(7, 20, 100));
        }
        assertEquals(proven, profile().orElseThrow());
    }

    @Test
    void aMachineThatReadsNothingForLongIsUp() throws IOException {
        try (BlockDevice device = open(Occasion.UNKNOWN)) {
            boot(device, every(7, 20, 100));
            nanos.addAndGet(Duration.ofSeconds(31).toNanos());
            read(device, 1000L * CHUNK, CHUNK);
            await(this::findsProfile, "the profile is stored while the machine runs");
            // A reboot is a boot, too; it asks for the profile anew.
            long before = requests();
            await(() -> readsSectorZero(device) && requests() > before, "the reboot is recognised");
            boot(device, every(9, 21, 100));
        }
        List<Read> reads = profile().orElseThrow().reads();
        assertEquals(21L * CHUNK + 4096, reads.get(1).offset());
        assertTrue(reads.stream().noneMatch(read -> read.offset() == 1000L * CHUNK));
    }

    @Test
    void aSlowMachineMayTakeItsTime() throws IOException {
        try (BlockDevice device = open(Occasion.UNKNOWN)) {
            boot(device, every(7, 20, 50));
            nanos.addAndGet(Duration.ofSeconds(29).toNanos());
            read(device, 1000L * CHUNK, CHUNK);
            nanos.addAndGet(Duration.ofSeconds(80).toNanos());
            read(device, 1010L * CHUNK, CHUNK);
            nanos.addAndGet(Duration.ofSeconds(72).toNanos());
            read(device, 1020L * CHUNK, CHUNK);
        }
        assertEquals(new Read(1010L * CHUNK, CHUNK, 109_000), profile().orElseThrow().reads().getLast());
    }

    @Test
    void aKernelThatLooksForPartitionsLaterIsNoBootOfItsOwn() throws IOException {
        try (BlockDevice device = open(Occasion.BOOT)) {
            boot(device, every(7, 20, 100));
            nanos.addAndGet(Duration.ofMinutes(4).toNanos());
            read(device, 8192, 4096);
            await(this::findsProfile, "the profile of the boot is stored");
            mount(device, every(9, 21, 100));
        }
        assertEquals(20L * CHUNK + 4096, profile().orElseThrow().reads().get(1).offset());
    }

    private static boolean readsSectorZero(BlockDevice device) {
        try {
            read(device, 0, 512);
            return true;
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    private boolean findsProfile() {
        try {
            return profile().isPresent();
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    @Test
    void aGarbledProfileIsReplaced() throws IOException {
        repository.putSealed(BootProfiles.key(WEB, VDA), new byte[77]);
        try (BlockDevice device = open(Occasion.BOOT)) {
            boot(device, every(7, 20, 100));
        }
        assertTrue(profile().isPresent());
    }

    @Test
    void aProfileOfALargerDiskIsFollowedAsFarAsItGoes() throws IOException {
        List<Read> reads = List.of(new Read(1L << 40, 1 << 20, 0), new Read(40L * CHUNK, 8192, 1), new Read(1L << 61, 4096, 2));
        profiles.put(WEB, VDA, new BootProfile(point.id(), Instant.EPOCH, true, reads));
        try (BlockDevice device = open(Occasion.BOOT)) {
            await(() -> device.readResident(40L * CHUNK, ByteBuffer.allocate(8192)), "what lies on the disk is fetched ahead");
        }
    }

    /** A machine that was launched from the other, with another half of the disk written since: the first boot of it is no first boot. */
    @Test
    void aMachineBootsFirstByTheProfileOfWhatItWasLaunchedFrom() throws IOException {
        long[] files = every(7, 20, 100);
        try (BlockDevice device = open(Occasion.UNKNOWN)) {
            boot(device, files);
        }
        MachineName shop = new MachineName("shop");
        long written = 512L * CHUNK;
        MemoryDevice disk = new MemoryDevice(CHUNKS * (long) CHUNK);
        byte[] own = new byte[(int) (disk.size() - written)];
        new Random(5).nextBytes(own);
        disk.write(written, ByteBuffer.wrap(own));
        Point launched = capture(shop, SourceDisk.changed(VDA, disk, List.of(ByteRange.between(written, disk.size()))), Optional.of(point));
        images.close();
        images = library();
        try (BlockDevice device = open(Occasion.BOOT, launched)) {
            ByteBuffer target = ByteBuffer.allocate(8192);
            for (long file : files) {
                await(() -> device.readResident(file * CHUNK + 4096, target.clear()), "the other's files are fetched ahead");
                long in = file * CHUNK + 4096 - written;
                assertTrue(in < 0 || target.flip().equals(ByteBuffer.wrap(own, (int) in, 8192)), "as they are here");
            }
            boot(device, files);
        }
        // What it has read itself stays with it when the other is forgotten.
        assertEquals(launched.id(), profiles.find(shop, VDA).orElseThrow().point());
        assertEquals(point.id(), profile().orElseThrow().point());
    }

    @Test
    void aFirstBootThatIsCutShortLeavesTheInheritedProfileInItsPlace() throws IOException {
        try (BlockDevice device = open(Occasion.UNKNOWN)) {
            boot(device, every(7, 20, 100));
        }
        MachineName shop = new MachineName("shop");
        Point launched = capture(shop, SourceDisk.changed(VDA, new MemoryDevice(CHUNKS * (long) CHUNK), List.of()), Optional.of(point));
        try (BlockDevice device = open(Occasion.BOOT, launched)) {
            boot(device, every(7, 20, 50));
        }
        assertEquals(Optional.empty(), profiles.find(shop, VDA));
    }

    /** Its disk is read to the end meanwhile. */
    @Test
    void aMachineWhoseDiskMovesFollowsTheProfileAndLeavesNone() throws IOException {
        try (BlockDevice device = open(Occasion.MIGRATION)) {
            boot(device, every(7, 20, 100));
        }
        assertEquals(Optional.empty(), profile());
        try (BlockDevice device = open(Occasion.BOOT)) {
            boot(device, every(7, 20, 100));
        }
        BootProfile left = profile().orElseThrow();
        images.close();
        images = library();
        try (BlockDevice device = open(Occasion.MIGRATION)) {
            await(() -> device.readResident(20L * CHUNK + 4096, ByteBuffer.allocate(8192)), "what the profile tells of is fetched ahead");
            boot(device, every(3, 20, 300));
            nanos.addAndGet(Duration.ofMinutes(4).toNanos());
            read(device, 1000L * CHUNK, CHUNK);
            boot(device, every(3, 20, 300));
        }
        assertEquals(left, profile().orElseThrow());
    }

    @Test
    void aWatchedDeviceIsTheDeviceInEveryRespect() {
        for (Method method : WatchedDevice.class.getMethods()) {
            assertNotEquals(BlockDevice.class, method.getDeclaringClass(), () -> method + " must be passed on");
        }
    }
}
