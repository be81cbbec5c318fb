package io.afterimage.image;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.afterimage.block.MemoryDevice;
import io.afterimage.capture.Capture;
import io.afterimage.capture.Progress;
import io.afterimage.capture.SourceDisk;
import io.afterimage.catalog.BackupLease;
import io.afterimage.catalog.CatalogException;
import io.afterimage.catalog.FoundLease;
import io.afterimage.catalog.HeldPoint;
import io.afterimage.catalog.LastingHolds;
import io.afterimage.catalog.LeaseTerms;
import io.afterimage.catalog.OpenPoints;
import io.afterimage.catalog.Point;
import io.afterimage.chunk.ChunkSize;
import io.afterimage.fetch.FetchSettings;
import io.afterimage.index.ChunkIndex;
import io.afterimage.maintenance.GarbageCollection;
import io.afterimage.manifest.DiskName;
import io.afterimage.manifest.MachineName;
import io.afterimage.manifest.PointId;
import io.afterimage.overlay.OverlayDevice;
import io.afterimage.overlay.OverlayException;
import io.afterimage.overlay.OverlayException.Reason;
import io.afterimage.repository.PointWriter;
import io.afterimage.repository.Repository;
import io.afterimage.store.CountingStore;
import io.afterimage.store.MemoryObjectStore;
import io.afterimage.store.ObjectStore;
import io.afterimage.store.StoreStatistics;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Random;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class OverlayLibraryTest {

    private static final int SIZE = 5_000_192;
    private static final DiskName VDA = new DiskName("vda");
    private static final OverlayName NAME = new OverlayName("trial");

    @TempDir
    private Path folder;

    private final byte[] disk = new byte[SIZE];
    /** Since the test began, for the store and for who collects. */
    private Duration passed = Duration.ZERO;
    private CountingStore store;
    private Repository repository;
    private Point point;
    private ImageLibrary images;
    private OverlayLibrary overlays;

    @BeforeEach
    void capture() throws IOException {
        SecureRandom random = new SecureRandom();
        store = new CountingStore(new MemoryObjectStore(() -> Instant.now().plus(passed), ObjectStore.PAGE));
        repository = Repository.create(store, ChunkSize.DEFAULT, random);
        new Random(1).nextBytes(disk);
        MemoryDevice source = new MemoryDevice(SIZE);
        source.write(0, ByteBuffer.wrap(disk));
        Instant now = Instant.now();
        MachineName machine = new MachineName("web");
        try (ChunkIndex index = ChunkIndex.open(folder.resolve("index"));
                BackupLease lease = BackupLease.acquire(store, InstantSource.system(), machine);
                PointWriter writer = new PointWriter(repository, lease, index, Optional.empty(), random)) {
            point = new Capture(machine, PointId.at(now, random), now, Optional.empty(), new TreeMap<>())
                    .run(repository, writer, List.of(SourceDisk.whole(VDA, source, Optional.empty())), Progress.NONE)
                    .commit();
        }
        images = new ImageLibrary(
                repository, new OpenPoints(new MemoryObjectStore(), InstantSource.system(), LeaseTerms.DEFAULT), 64L << 20, Optional.empty(), FetchSettings.DEFAULT);
        overlays = library(repository.store());
    }

    private OverlayLibrary library(ObjectStore holdsIn) {
        return new OverlayLibrary(
                folder.resolve("overlays"), images, new LastingHolds(holdsIn, repository.catalog()), InstantSource.system());
    }

    @AfterEach
    void close() throws IOException {
        images.close();
        repository.close();
    }

    private Overlay create() throws IOException {
        return overlays.create(NAME, point, VDA, OptionalLong.of(1 << 20));
    }

    private List<FoundLease> holds() throws IOException {
        return FoundLease.list(store, FoundLease.ALL, Duration.ZERO);
    }

    private static byte[] read(OverlayDevice device) throws IOException {
        byte[] bytes = new byte[SIZE];
        device.read(0, ByteBuffer.wrap(bytes));
        return bytes;
    }

    @Test
    void comesIsFoundAndGoes() throws IOException {
        assertEquals(List.of(), overlays.list());
        Overlay made = create();
        assertEquals(List.of(made), overlays.list());
        assertEquals(made, overlays.find(NAME));
        assertEquals(List.of(HeldPoint.of(point)), holds().getFirst().points());
        assertEquals(Reason.EXISTS, assertThrows(OverlayException.class, this::create).reason());
        assertEquals(1, holds().size());
        try (OverlayDevice device = overlays.open(made)) {
            device.write(12_345, ByteBuffer.wrap(new byte[100_000]));
            Arrays.fill(disk, 12_345, 112_345, (byte) 0);
            assertArrayEquals(disk, read(device));
            assertEquals(Reason.IN_USE, assertThrows(OverlayException.class, () -> overlays.discard(NAME)).reason());
        }
        assertTrue(overlays.usedBytes(made) >= 100_000);
        overlays.discard(NAME);
        assertEquals(List.of(), overlays.list());
        assertEquals(List.of(), holds());
        assertEquals(Reason.NO_SUCH_OVERLAY, assertThrows(OverlayException.class, () -> overlays.discard(NAME)).reason());
        try (Stream<Path> left = Files.list(folder.resolve("overlays"))) {
            assertEquals(List.of(".lock"), left.map(file -> file.getFileName().toString()).toList());
        }
    }

    /** Forgotten, and collected years later: the overlay reads on, and only when it is gone does the rest go. */
    @Test
    void whatItStandsOnIsKeptThoughItIsForgotten() throws IOException {
        Overlay made = create();
        try (OverlayDevice device = overlays.open(made)) {
            device.write(0, ByteBuffer.wrap(new byte[4096]));
        }
        repository.catalog().forget(point.machine(), point.id());
        collect(Duration.ofDays(1000));
        collect(Duration.ofDays(2000));
        Arrays.fill(disk, 0, 4096, (byte) 0);
        try (ImageLibrary cold = new ImageLibrary(
                        repository, new OpenPoints(new MemoryObjectStore(), InstantSource.system(), LeaseTerms.DEFAULT), 64L << 20, Optional.empty(), FetchSettings.DEFAULT);
                OverlayDevice device = new OverlayLibrary(
                                folder.resolve("overlays"), cold, new LastingHolds(store, repository.catalog()), InstantSource.system())
                        .open(made)) {
            assertArrayEquals(disk, read(device));
        }
        overlays.discard(NAME);
        collect(Duration.ofDays(3000));
        collect(Duration.ofDays(4000));
        StoreStatistics before = store.statistics();
        assertThrows(IOException.class, () -> repository.manifest(HeldPoint.of(point)));
        assertTrue(store.statistics().since(before).requests() > 0);
    }

    private void collect(Duration later) throws IOException {
        passed = later;
        new GarbageCollection(repository, () -> Instant.now().plus(passed), LeaseTerms.DEFAULT, new SecureRandom())
                .run(new GarbageCollection.Request(Duration.ofHours(1), 0, false), Progress.NONE);
    }

    @Test
    void aHoldThatWasDeletedIsWrittenAgainOrMissed() throws IOException {
        Overlay made = create();
        store.delete(holds().getFirst().key());
        overlays.open(made).close();
        assertEquals(1, holds().size());
        store.delete(holds().getFirst().key());
        repository.catalog().forget(point.machine(), point.id());
        assertEquals(Reason.BASE_LOST, assertThrows(OverlayException.class, () -> overlays.open(made)).reason());
        overlays.discard(NAME);
    }

    @Test
    void nothingStandsOnAPointThatIsGone() throws IOException {
        repository.catalog().forget(point.machine(), point.id());
        CatalogException thrown = assertThrows(CatalogException.class, this::create);
        assertEquals(CatalogException.Reason.NO_SUCH_POINT, thrown.reason());
        assertEquals(List.of(), overlays.list());
        assertEquals(List.of(), holds());
    }

    /** What processes that were killed have left is swept away by the next, and what they held is given back. */
    @Test
    void whatWasLeftHalfMadeIsSwept() throws IOException {
        Overlay made = create();
        Files.move(folder.resolve("overlays/trial"), folder.resolve("overlays/.half"));
        Files.delete(folder.resolve("overlays/.half/map"));
        assertEquals(List.of(), overlays.list());
        Overlay again = create();
        assertFalse(Files.exists(folder.resolve("overlays/.half")));
        assertFalse(again.hold().equals(made.hold()));
        assertEquals(1, holds().size());
    }

    @Test
    void aDamagedDescriptorIsSaidInASentence() throws IOException {
        create();
        Path descriptor = folder.resolve("overlays/trial/overlay.json");
        byte[] sound = Files.readAllBytes(descriptor);
        for (String broken : List.of("", "{", "{\"format\":1}", "[]", "{\"format\":1,\"machine\":\"..\"}")) {
            Files.writeString(descriptor, broken);
            OverlayException thrown = assertThrows(OverlayException.class, () -> overlays.find(NAME));
            assertEquals(Reason.DAMAGED, thrown.reason());
            assertTrue(thrown.getMessage().contains("'trial'"), thrown.getMessage());
        }
        Files.writeString(descriptor, "{\"format\":2}");
        assertEquals(Reason.UNSUPPORTED_FORMAT, assertThrows(OverlayException.class, () -> overlays.find(NAME)).reason());
        assertEquals(List.of(), overlays.list());
        Files.write(descriptor, sound);
        assertEquals(1, overlays.list().size());
    }

    @Test
    void manyOverlaysOnOnePointShareWhatWasRead() throws IOException {
        List<OverlayDevice> open = new ArrayList<>();
        for (int i = 0; i < 10; i++) {
            open.add(overlays.open(overlays.create(new OverlayName("o" + i), point, VDA, OptionalLong.empty())));
        }
        assertArrayEquals(disk, read(open.getFirst()));
        StoreStatistics before = store.statistics();
        for (OverlayDevice device : open) {
            assertArrayEquals(disk, read(device));
            device.close();
        }
        assertEquals(0, store.statistics().since(before).requests());
    }
}
