package io.afterimage.capture;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.afterimage.block.ByteRange;
import io.afterimage.block.MemoryDevice;
import io.afterimage.catalog.BackupLease;
import io.afterimage.catalog.Point;
import io.afterimage.catalog.PointKind;
import io.afterimage.chunk.ChunkSize;
import io.afterimage.index.ChunkIndex;
import io.afterimage.manifest.DiskName;
import io.afterimage.manifest.MachineName;
import io.afterimage.manifest.Manifest;
import io.afterimage.manifest.PointId;
import io.afterimage.repository.PointBytes;
import io.afterimage.repository.PointWriter;
import io.afterimage.repository.Repository;
import io.afterimage.repository.TestRepositories;
import io.afterimage.store.MemoryObjectStore;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Random;
import java.util.TreeMap;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A machine's first point as a child of another machine's, and what is done with doubtful words about changes. */
class BackupTreeTest {

    private static final MachineName BASE = new MachineName("debian");
    private static final MachineName WEB = new MachineName("web");
    private static final DiskName DISK = new DiskName("disk");
    private static final DiskName OTHER = new DiskName("other");
    private static final DiskName VDA = new DiskName("vda");
    private static final DiskName VDB = new DiskName("vdb");
    private static final int CHUNK = ChunkSize.DEFAULT.bytes();
    private static final long SIZE = 40L * CHUNK + 512;

    @TempDir
    private Path folder;

    private final SecureRandom random = new SecureRandom();
    private final MemoryDevice golden = filled(1);
    private final MemoryDevice second = filled(2);
    private Repository repository;
    private ChunkIndex index;
    private Point base;
    private long clock = 1_800_000_000_000L;

    @BeforeEach
    void storeTheBase() throws IOException {
        repository = TestRepositories.create(new MemoryObjectStore(), false);
        index = ChunkIndex.open(folder);
        base = capture(BASE, Optional.empty(), Map.of(),
                SourceDisk.whole(DISK, golden, Optional.empty()), SourceDisk.whole(OTHER, second, Optional.empty()));
    }

    @AfterEach
    void close() throws IOException {
        index.close();
        repository.close();
    }

    private static MemoryDevice filled(long seed) {
        byte[] bytes = new byte[(int) SIZE];
        new Random(seed).nextBytes(bytes);
        MemoryDevice device = new MemoryDevice(SIZE);
        device.write(0, ByteBuffer.wrap(bytes));
        return device;
    }

    @Test
    void theFirstPointOfALaunchedMachineHoldsWhatItChanged() throws IOException {
        MemoryDevice own = filled(1);
        own.write(3L * CHUNK, ByteBuffer.wrap(new byte[] {1, 2, 3}));
        own.zero(new ByteRange(7L * CHUNK, CHUNK), true);
        Point point = capture(WEB, Optional.of(base), Map.of(VDA, DISK), SourceDisk.changed(VDA, own,
                List.of(new ByteRange(3L * CHUNK, CHUNK), new ByteRange(7L * CHUNK, CHUNK))));
        assertEquals(PointKind.INCREMENTAL, point.kind());
        assertEquals(Optional.of(base.id()), point.parent());
        assertTrue(point.bytes().stored() < 2L * CHUNK, point.toString());

        Point read = repository.catalog().find(WEB, point.id()).orElseThrow();
        assertEquals(point, read);
        assertEquals(BASE, read.parentMachine());
        assertEquals(DISK, read.base().orElseThrow().disks().get(VDA));
        Manifest manifest = repository.manifest(read);
        assertEquals(List.of(new ByteRange(3L * CHUNK, CHUNK), new ByteRange(7L * CHUNK, CHUNK)), manifest.disk(VDA).orElseThrow().changed());
        assertArrayEquals(bytes(own), PointBytes.read(repository, read, VDA));

        // Without the base it is as whole as before.
        repository.catalog().forget(BASE, base.id());
        assertArrayEquals(bytes(own), PointBytes.read(repository, read, VDA));
    }

    /** Chunks are counted for each disk that has them, whatever they were counted for in the base. */
    @Test
    void oneBaseDiskUnderTwoDisksIsCountedTwiceAndOneUnderNoneNotAtAll() throws IOException {
        Point point = capture(WEB, Optional.of(base), Map.of(VDA, DISK, VDB, DISK),
                SourceDisk.changed(VDA, golden, List.of()), SourceDisk.changed(VDB, golden, List.of()));
        Manifest manifest = repository.manifest(point);
        assertArrayEquals(bytes(golden), PointBytes.read(repository, point, VDA));
        assertArrayEquals(bytes(golden), PointBytes.read(repository, point, VDB));
        // A manifest whose counts do not fit its maps is refused when it is read.
        Manifest alone = repository.manifest(base).renamed(Map.of(VDA, DISK));
        assertTrue(manifest.packs().ids().containsAll(alone.packs().ids()));
    }

    @Test
    void aLieAboutWhatIsUnchangedIsFoundWhenAllIsChecked() throws IOException {
        MemoryDevice own = filled(1);
        own.write(9L * CHUNK + 5, ByteBuffer.wrap(new byte[] {1, 2, 3}));
        Optional<Manifest> parent = Optional.of(repository.manifest(base).renamed(Map.of(VDA, DISK)));
        UnchangedCheck check = new UnchangedCheck(new Comparison(repository, index), 1, random);
        SourceDisk honest = SourceDisk.changed(VDA, own, List.of(new ByteRange(9L * CHUNK, CHUNK)));
        assertEquals(honest, check.check(honest, parent, false));
        SourceDisk doubtful = check.check(SourceDisk.changed(VDA, own, List.of(new ByteRange(0, CHUNK))), parent, false);
        assertTrue(doubtful.changed().isEmpty());
        assertTrue(doubtful.reason().orElseThrow().contains("differs at byte " + 9L * CHUNK), doubtful.reason()::toString);
    }

    /** By one read, wherever the end was meanwhile: what was written since is told, and zeros were zeros before. */
    @Test
    void whatWasLostWhileADiskWasSmallerIsFoundUnasked() throws IOException {
        Optional<Manifest> parent = Optional.of(repository.manifest(base).renamed(Map.of(VDA, DISK)));
        UnchangedCheck check = UnchangedCheck.of(Optional.empty(), repository, index, random);
        for (long end : new long[] {SIZE - 1, SIZE - 2L * CHUNK, SIZE - 3L * CHUNK - 5, CHUNK}) {
            MemoryDevice own = filled(1);
            own.zero(ByteRange.between(end, SIZE), true);
            SourceDisk regrown = SourceDisk.changed(VDA, own, List.of());
            assertTrue(check.check(regrown, parent, true).changed().isEmpty(), "smaller by " + (SIZE - end));
            ByteRange written = ByteRange.between(end / CHUNK * CHUNK, SIZE);
            SourceDisk told = SourceDisk.changed(VDA, own, List.of(written));
            assertEquals(told, check.check(told, parent, true));
        }
        MemoryDevice overlay = filled(1);
        overlay.zero(ByteRange.between(CHUNK, SIZE), true);
        SourceDisk allocated = SourceDisk.changed(VDA, overlay, List.of());
        assertEquals(allocated, check.check(allocated, parent, false), "of a base image nothing is read");
        SourceDisk whole = SourceDisk.changed(VDA, filled(1), List.of());
        assertEquals(whole, check.check(whole, parent, true));
    }

    @Test
    void aComparisonAsksTheStoreOnlyForWhatTheIndexDoesNotKnow() throws IOException {
        ByteRange all = new ByteRange(0, SIZE);
        var map = repository.manifest(base).disk(DISK).orElseThrow().map();
        assertEquals(OptionalLong.empty(), new Comparison(repository, index).firstDifference(golden, map, List.of(all)));
        assertEquals(OptionalLong.of(0), new Comparison(repository, index).firstDifference(second, map, List.of(all)));
        try (ChunkIndex empty = ChunkIndex.open(folder.resolve("empty"))) {
            assertEquals(OptionalLong.empty(), new Comparison(repository, empty).firstDifference(golden, map, List.of(all)));
        }
        golden.zero(new ByteRange(40L * CHUNK, 512), true);
        assertEquals(OptionalLong.of(40L * CHUNK), new Comparison(repository, index).firstDifference(golden, map, List.of(all)));
    }

    private Point capture(MachineName machine, Optional<Point> root, Map<DiskName, DiskName> names, SourceDisk... disks) throws IOException {
        Instant time = Instant.ofEpochMilli(clock++);
        try (BackupLease lease = BackupLease.acquire(repository.store(), InstantSource.system(), machine)) {
            Optional<Manifest> parent = root.isPresent()
                    ? repository.parent(lease, root.get().machine(), List.of(root.get().id())).map(manifest -> manifest.renamed(names))
                    : Optional.empty();
            try (PointWriter writer = new PointWriter(repository, lease, index, parent, random)) {
                Optional<Point.Base> under = root.map(point -> new Point.Base(point.machine(), new TreeMap<>(names)));
                return new Capture(machine, PointId.at(time, random), time, parent, new TreeMap<>(), under)
                        .run(repository, writer, List.of(disks), Progress.NONE)
                        .commit();
            }
        }
    }

    private static byte[] bytes(MemoryDevice disk) {
        byte[] bytes = new byte[(int) SIZE];
        disk.read(0, ByteBuffer.wrap(bytes));
        return bytes;
    }
}
