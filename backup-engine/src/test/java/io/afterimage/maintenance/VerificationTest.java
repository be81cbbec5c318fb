package io.afterimage.maintenance;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.afterimage.capture.Progress;
import io.afterimage.catalog.LeaseTerms;
import io.afterimage.catalog.Point;
import io.afterimage.chunk.ChunkAddress;
import io.afterimage.chunk.ChunkId;
import io.afterimage.chunk.ChunkSize;
import io.afterimage.chunk.PackId;
import io.afterimage.index.ChunkIndex;
import io.afterimage.manifest.BlockMap;
import io.afterimage.manifest.MachineName;
import io.afterimage.pack.PackBuilder;
import io.afterimage.pack.PackEntry;
import io.afterimage.pack.PackObjects;
import io.afterimage.repository.ChunkReader;
import io.afterimage.repository.Damage;
import io.afterimage.repository.Move;
import io.afterimage.repository.Repository;
import io.afterimage.store.CountingStore;
import io.afterimage.store.FaultyStore;
import io.afterimage.store.ForwardingStore;
import io.afterimage.store.KeyPrefix;
import io.afterimage.store.ListPage;
import io.afterimage.store.MemoryObjectStore;
import io.afterimage.store.ObjectInfo;
import io.afterimage.store.ObjectKey;
import io.afterimage.store.ObjectStore;
import io.afterimage.store.Operation;
import io.afterimage.store.StoreException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A machine with four points, each of which has one pack of its own. */
class VerificationTest {

    private static final int CHUNK = 4096;
    private static final MachineName WEB = new MachineName("web");

    @TempDir
    private Path folder;

    private final SecureRandom secure = new SecureRandom();
    private final MemoryObjectStore store = new MemoryObjectStore();
    private final List<Point> points = new ArrayList<>();
    private final List<byte[]> references = new ArrayList<>();
    private Repository repository;
    /** Since the test began, for all who have a clock. */
    private Duration passed = Duration.ZERO;

    private Instant now() {
        return Instant.now().plus(passed);
    }

    @BeforeEach
    void backUp() throws IOException {
        repository = Repository.create(store, new ChunkSize(CHUNK), secure);
        byte[] disk = new byte[80 * CHUNK];
        Random random = new Random(1);
        random.nextBytes(disk);
        for (int i = 0; i < 4; i++) {
            byte[] change = new byte[10 * CHUNK];
            random.nextBytes(change);
            System.arraycopy(change, 0, disk, 20 * i * CHUNK, change.length);
            try (ChunkIndex index = index()) {
                points.add(backups(repository, index, InstantSource.system()).run(WEB, disk));
            }
            references.add(disk.clone());
        }
        assertEquals(4, packs(store).size());
    }

    private ChunkIndex index() throws IOException {
        return ChunkIndex.open(folder.resolve("index"));
    }

    private Backups backups(Repository of, ChunkIndex index, InstantSource clock) {
        return new Backups(of, index, clock, LeaseTerms.DEFAULT, secure);
    }

    private static List<ObjectInfo> packs(ObjectStore store) throws IOException {
        return store.list(PackObjects.ALL).toList();
    }

    private VerifyReport verify(ObjectStore of, Thoroughness thoroughness, boolean restart) throws IOException {
        return new Verification(Repository.open(of), InstantSource.system(), new Random(1))
                .run(
                        new Verification.Request(
                                Optional.empty(), Optional.empty(), thoroughness, folder.resolve("cache/verified"), restart, true),
                        Progress.NONE);
    }

    private VerifyReport verify(ObjectStore of) throws IOException {
        return verify(of, new Thoroughness.Full(), true);
    }

    @Test
    void eachChunkIsReadOnceHoweverManyPointsShareIt() throws IOException {
        CountingStore counting = new CountingStore(store);
        VerifyReport report = verify(counting);
        assertEquals(List.of(), report.findings());
        assertEquals(80 + 3 * 10, report.chunks());
        // The repository, four descriptors, four manifests; index, header and frames of four packs.
        assertEquals(1 + 4 + 4 + 3 * 4, counting.statistics().of(Operation.GET).requests());
        assertEquals(0, verify(counting, new Thoroughness.Structure(), true).chunks());
        long sampled = verify(counting, new Thoroughness.Sample(0.25), true).chunks();
        assertTrue(sampled == 10 || sampled == 80, "one pack of four is drawn, not " + sampled + " chunks");
    }

    @Test
    void anInterruptedRunGoesOn() throws IOException {
        FaultyStore faulty = new FaultyStore(store, 1, FaultyStore.Rates.NONE);
        boolean interrupted = false;
        for (int requests = 13; !interrupted; requests++) {
            Files.deleteIfExists(folder.resolve("cache/verified"));
            faulty.crashAfter(requests);
            IOException crash = assertThrows(IOException.class, () -> verify(faulty, new Thoroughness.Full(), false));
            assertTrue(crash.getMessage() != null);
            interrupted = Files.exists(folder.resolve("cache/verified"))
                    && Files.readString(folder.resolve("cache/verified")).lines().count() > 1;
        }
        CountingStore counting = new CountingStore(store);
        VerifyReport report = verify(counting, new Thoroughness.Full(), false);
        assertEquals(110, report.chunks());
        assertTrue(counting.statistics().of(Operation.GET).requests() < 21);
        assertTrue(Files.notExists(folder.resolve("cache/verified")));
        assertEquals(110, verify(store, new Thoroughness.Full(), false).chunks());
    }

    /** As object stores do whose listings come from elsewhere than their objects. */
    @Test
    void aPackThatIsNotListedYetIsNoDamage() throws IOException {
        VerifyReport report = verify(new LateListing(store, packs(store).getLast().key()));
        assertEquals(List.of(), report.findings());
        assertEquals(110, report.chunks());
        assertEquals(List.of(), store.list(Damage.ALL).toList());
    }

    /** A store that does not list one of its objects yet. */
    private static final class LateListing extends ForwardingStore {

        private final ObjectKey late;

        LateListing(ObjectStore store, ObjectKey late) {
            super(store);
            this.late = late;
        }

        @Override
        public ListPage list(KeyPrefix prefix, Optional<ObjectKey> after) throws StoreException {
            ListPage page = super.list(prefix, after);
            return new ListPage(page.objects().stream().filter(object -> !object.key().equals(late)).toList(), page.last());
        }
    }

    @Test
    void whoCannotNoteHowFarItHasComeVerifiesAllTheSame() throws IOException {
        Files.writeString(folder.resolve("cache"), "a file where the folder should be");
        assertEquals(110, verify(store, new Thoroughness.Full(), false).chunks());
    }

    @Test
    void aStoreThatFailsIsNoDamage() {
        FaultyStore faulty = new FaultyStore(store, 2, new FaultyStore.Rates(0.3, 0, 0));
        assertThrows(IOException.class, () -> {
            for (int i = 0; i < 20; i++) {
                assertEquals(List.of(), verify(faulty).findings());
            }
        });
    }

    @Test
    void whatWasMovedIsFollowed() throws IOException {
        ObjectInfo pack = packs(store).getFirst();
        PackId from = PackObjects.id(pack.key()).orElseThrow();
        PackBuilder next = new PackBuilder(PackId.random(secure), repository.codec());
        List<Move> moves = new ArrayList<>();
        for (PackEntry entry : repository.entries(from, pack.size())) {
            byte[] chunk = new byte[CHUNK];
            ChunkId id = new ChunkReader(repository).read(entry.address(), chunk);
            moves.add(new Move(from, entry.address().offset(), id, next.add(repository.codec().encode(id, chunk, 0))));
        }
        store.put(PackObjects.key(next.id()), next.finish());
        repository.moves().put(moves);
        store.delete(pack.key());
        assertEquals(List.of(), verify(store).findings());
        assertExact(Repository.open(store));
    }

    @Test
    void aBackupThatDiesAtAnyRequestHealsAllTheSameWhenItIsMadeAgain() throws IOException {
        List<ObjectKey> keys = packs(store).stream().map(ObjectInfo::key).toList();
        ChunkAddress broken = repository.manifest(points.getLast()).disk(Backups.DISK).orElseThrow().map().address(3);
        flip(store, PackObjects.key(broken.pack()), (int) broken.byteOffset(new ChunkSize(CHUNK)) + 200);
        store.delete(keys.stream().filter(key -> !key.equals(PackObjects.key(broken.pack()))).findFirst().orElseThrow());
        assertEquals(2, verify(store).findings().size());
        boolean completed = false;
        for (int requests = 0; !completed; requests++) {
            passed = Duration.ZERO;
            MemoryObjectStore copy = copy(store);
            Path ofRun = folder.resolve("index-" + requests);
            Files.createDirectories(ofRun);
            for (String file : List.of("packs", "chunks")) {
                Files.copy(folder.resolve("index").resolve(file), ofRun.resolve(file));
            }
            FaultyStore faulty = new FaultyStore(copy, requests, FaultyStore.Rates.NONE);
            try (ChunkIndex index = ChunkIndex.open(ofRun)) {
                Repository dying = Repository.open(faulty);
                faulty.crashAfter(requests);
                completed = survives(() -> backups(dying, index, this::now).run(WEB, references.getLast()));
                passed = Duration.ofHours(1);
                Repository whole = Repository.open(copy);
                for (byte[] disk : references) {
                    backups(whole, index, this::now).run(WEB, disk);
                }
            }
            assertExact(Repository.open(copy));
            assertEquals(List.of(), verify(copy).findings(), "after a crash at request " + requests);
            assertEquals(List.of(), Damage.list(Repository.open(copy)));
        }
    }

    private interface Step {
        Point run() throws IOException;
    }

    private static boolean survives(Step step) {
        try {
            step.run();
            return true;
        } catch (FaultyStore.SimulatedCrash | IOException e) {
            return false;
        }
    }

    private void assertExact(Repository of) throws IOException {
        ChunkReader reader = new ChunkReader(of);
        for (int i = 0; i < points.size(); i++) {
            BlockMap map = of.manifest(points.get(i)).disk(Backups.DISK).orElseThrow().map();
            byte[] disk = new byte[references.get(i).length];
            for (int number = 0; number < map.chunks(); number++) {
                byte[] chunk = new byte[CHUNK];
                reader.read(map.address(number), chunk);
                System.arraycopy(chunk, 0, disk, number * CHUNK, CHUNK);
            }
            assertArrayEquals(references.get(i), disk);
        }
    }

    private static void flip(ObjectStore store, ObjectKey key, int at) throws IOException {
        byte[] bytes = store.getWhole(key, 1 << 24);
        bytes[at] ^= 1;
        store.put(key, ByteBuffer.wrap(bytes));
    }

    private MemoryObjectStore copy(ObjectStore store) throws IOException {
        MemoryObjectStore copy = new MemoryObjectStore(this::now, ObjectStore.PAGE);
        for (ObjectInfo object : store.list(KeyPrefix.ALL).toList()) {
            copy.put(object.key(), ByteBuffer.wrap(store.getWhole(object.key(), 1 << 24)));
        }
        return copy;
    }
}
