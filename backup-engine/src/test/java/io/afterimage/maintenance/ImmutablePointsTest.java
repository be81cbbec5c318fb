package io.afterimage.maintenance;

import static io.afterimage.maintenance.Backups.disk;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.afterimage.capture.Progress;
import io.afterimage.catalog.Catalog;
import io.afterimage.catalog.LeaseTerms;
import io.afterimage.catalog.Point;
import io.afterimage.chunk.ChunkSize;
import io.afterimage.index.ChunkIndex;
import io.afterimage.maintenance.GcReport.Tally;
import io.afterimage.manifest.MachineName;
import io.afterimage.manifest.ManifestObjects;
import io.afterimage.repository.Immutability;
import io.afterimage.repository.PointBytes;
import io.afterimage.repository.Repository;
import io.afterimage.repository.RepositoryException;
import io.afterimage.store.KeyPrefix;
import io.afterimage.store.LockableStore;
import io.afterimage.store.MemoryObjectStore;
import io.afterimage.store.ObjectInfo;
import io.afterimage.store.ObjectKey;
import io.afterimage.store.ObjectLock;
import io.afterimage.store.Retention;
import io.afterimage.store.Retention.Mode;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Points whose objects a store must keep, and what garbage collection makes of them, under a clock that the test moves. */
class ImmutablePointsTest {

    private static final MachineName WEB = new MachineName("web");
    private static final MachineName DB = new MachineName("db");
    private static final Duration MONTH = Duration.ofDays(30);

    @TempDir
    private Path folder;

    private final SecureRandom random = new SecureRandom();
    private Instant now = Instant.parse("2026-11-20T12:00:00Z");
    private final LockableStore store = new LockableStore(() -> now);
    private final ObjectLock lock = store.objectLock().orElseThrow();
    private Repository repository;
    private ChunkIndex index;
    private Backups backups;

    @BeforeEach
    void open() throws IOException {
        repository = Repository.create(store, new ChunkSize(Backups.CHUNK), random);
        index = ChunkIndex.open(folder);
        backups = new Backups(repository, index, () -> now, LeaseTerms.DEFAULT, random);
    }

    @AfterEach
    void close() throws IOException {
        index.close();
        repository.close();
    }

    private Immutability immutability(Mode mode, Duration period) throws IOException {
        return Immutability.of(repository, mode, period, now);
    }

    private GcReport gc(double compactBelow) throws IOException {
        return new GarbageCollection(repository, () -> now, LeaseTerms.DEFAULT, new SecureRandom())
                .run(new GarbageCollection.Request(Duration.ZERO, compactBelow, false), Progress.NONE);
    }

    private Set<ObjectKey> keys(String prefix) throws IOException {
        return store.list(new KeyPrefix(prefix)).toList().stream().map(ObjectInfo::key).collect(Collectors.toSet());
    }

    private void assertLocked(Set<ObjectKey> keys, Retention least) throws IOException {
        for (ObjectKey key : keys) {
            Optional<Retention> retention = lock.retention(key);
            assertTrue(retention.filter(held -> held.covers(least)).isPresent(), () -> key + " is under " + retention + ", not " + least);
        }
    }

    @Test
    void everyObjectIsLockedBeforeTheDescriptorIsThereAndTheDescriptorWithIt() throws IOException {
        Immutability month = immutability(Mode.COMPLIANCE, MONTH);
        Point point = backups.run(WEB, Backups.whole(disk(1, 2, 3)), Optional.of(month), _ -> {}, _ -> {
            try {
                assertEquals(1, keys("packs/").size());
                assertEquals(1, keys("manifests/").size());
                assertLocked(keys("packs/"), month.retention());
                assertLocked(keys("manifests/"), month.retention());
                assertEquals(Set.of(), keys("points/"));
            } catch (IOException e) {
                throw new AssertionError(e);
            }
        });
        assertEquals(Optional.of(month.retention()), point.immutable());
        assertLocked(keys("points/"), month.retention());
        assertLocked(keys("repository.json"), month.retention());
        assertFalse(month.retention().until().isBefore(now.plus(MONTH)));
        assertTrue(point.isImmutable(now.plus(MONTH)));
        // As others read it.
        Point read = Repository.open(store).catalog().find(WEB, point.id()).orElseThrow();
        assertEquals(point, read);
    }

    @Test
    void packsThatOlderPointsShareAreExtendedOnceAGeneration() throws IOException {
        backups.run(WEB, disk(1, 2, 3));
        assertEquals(Optional.empty(), lock.retention(keys("packs/").iterator().next()));
        Immutability first = immutability(Mode.GOVERNANCE, MONTH);
        backups.run(WEB, disk(1, 2, 4), first);
        assertLocked(keys("packs/"), first.retention());
        int requests = store.retentionRequests();
        int generations = 1;
        Instant end = first.retention().until();
        for (int hour = 0; hour < 24 * 25; hour += 5) {
            now = now.plus(Duration.ofHours(5));
            Immutability next = immutability(Mode.GOVERNANCE, MONTH);
            backups.run(WEB, disk(1, 2, 4, 100 + hour), next);
            if (!next.retention().until().equals(end)) {
                generations++;
                end = next.retention().until();
                assertTrue(store.retentionRequests() > requests + 2);
            } else {
                assertEquals(requests + 1, store.retentionRequests(), "a backup has asked of more than the header");
            }
            requests = store.retentionRequests();
            assertFalse(end.isBefore(now.plus(MONTH)));
            assertFalse(end.isAfter(now.plus(MONTH).plus(Duration.ofDays(10))));
        }
        assertTrue(generations >= 3 && generations <= 4, generations + " generations in 25 days");
    }

    @Test
    void aStrongerRetentionIsNeverMadeWeaker() throws IOException {
        Immutability strong = immutability(Mode.COMPLIANCE, MONTH);
        backups.run(WEB, disk(1, 2, 3), strong);
        now = now.plus(Duration.ofDays(1));
        Immutability brief = immutability(Mode.GOVERNANCE, Duration.ofDays(3));
        backups.run(WEB, disk(1, 2, 3), brief);
        Immutability longer = immutability(Mode.GOVERNANCE, MONTH.multipliedBy(2));
        backups.run(DB, disk(1, 2, 3), longer);
        assertLocked(keys("packs/"), new Retention(Mode.COMPLIANCE, longer.retention().until()));
        Immutability strict = immutability(Mode.COMPLIANCE, MONTH.multipliedBy(3));
        backups.run(DB, disk(1, 2, 3), strict);
        assertLocked(keys("packs/"), strict.retention());
    }

    @Test
    void aModeThatTheStoreDoesNotChangeIsSaid() throws IOException {
        Immutability lenient = immutability(Mode.GOVERNANCE, MONTH);
        backups.run(WEB, disk(1, 2, 3), lenient);
        Immutability strict = immutability(Mode.COMPLIANCE, MONTH);
        RepositoryException refused = assertThrows(RepositoryException.class, () -> backups.run(DB, disk(1, 2, 3), strict));
        assertEquals(RepositoryException.Reason.OTHER_MODE, refused.reason());
        assertTrue(refused.getMessage().contains("keep to one mode"), refused::getMessage);
        assertEquals(List.of(), repository.catalog().pointIds(DB));
        now = lenient.retention().until();
        Immutability later = immutability(Mode.COMPLIANCE, MONTH);
        backups.run(DB, disk(1, 2, 3), later);
        assertLocked(keys("packs/"), later.retention());
    }

    @Test
    void gcLeavesWhatIsLockedAndTellsOfItUntilItIsFree() throws IOException {
        Immutability month = immutability(Mode.GOVERNANCE, MONTH);
        assertThrows(IllegalStateException.class, () -> backups.run(WEB, Backups.whole(disk(1, 2)), Optional.of(month), _ -> {}, _ -> {
            throw new IllegalStateException("killed before the commit");
        }));
        Set<ObjectKey> left = Set.copyOf(keys("packs/"));
        assertEquals(1, left.size());
        for (int day = 0; day < 3; day++) {
            now = now.plus(Duration.ofDays(1));
            GcReport report = gc(0.5);
            assertEquals(Tally.NONE, report.deleted());
            assertEquals(Tally.NONE, report.condemned());
            assertEquals(1, report.held().packs());
            assertEquals(1, report.held().manifests());
            assertTrue(report.held().bytes() > 2 * Backups.CHUNK);
            assertEquals(Optional.of(month.retention().until()), report.heldUntil());
            assertEquals(left, keys("packs/"));
        }
        // Not condemned, so that the next backup makes use of it.
        Point point = backups.run(WEB, disk(1, 2));
        assertEquals(left, keys("packs/"));
        repository.catalog().forget(WEB, point.id());
        now = month.retention().until();
        GcReport report = gc(0.5);
        assertEquals(1, report.deleted().packs());
        assertEquals(2, report.deleted().manifests());
        assertEquals(Tally.NONE, report.held());
        assertEquals(Set.of(), keys("packs/"));
        assertEquals(List.of(), hiddenData(), "something was deleted while it was locked");
    }

    private List<ObjectKey> hiddenData() {
        return store.hidden().stream().filter(key -> !key.value().startsWith("leases/")).toList();
    }

    @Test
    void lockedPacksAreNotCompacted() throws IOException {
        Immutability month = immutability(Mode.GOVERNANCE, MONTH);
        Point old = backups.run(WEB, disk(1, 2, 3, 4, 5, 6), month);
        Point current = backups.run(WEB, disk(1, 7));
        repository.catalog().forget(WEB, old.id());
        Set<ObjectKey> packs = keys("packs/");
        GcReport report = gc(0.9);
        assertEquals(Tally.NONE, report.compacted());
        assertEquals(Tally.NONE, report.toCompact());
        assertEquals(packs, keys("packs/"));
        now = month.retention().until();
        assertEquals(1, gc(0.9).compacted().packs());
        assertArrayEquals(disk(1, 7), PointBytes.read(repository, current, Backups.DISK));
        assertEquals(List.of(ObjectKey.of("points", "web", old.id().hex() + ".json")), hiddenData());
    }

    @Test
    void whereChunksWereMovedIsLockedWithThem() throws IOException {
        Point old = backups.run(WEB, disk(1, 2, 3, 4, 5, 6));
        backups.run(WEB, disk(1, 7));
        repository.catalog().forget(WEB, old.id());
        assertEquals(1, gc(0.9).compacted().packs());
        assertEquals(1, keys("moves/").size());
        Immutability month = immutability(Mode.GOVERNANCE, MONTH);
        Point point = backups.run(WEB, Backups.unchanged(disk(1, 7)), Optional.of(month), _ -> {}, _ -> {});
        assertLocked(keys("packs/"), month.retention());
        assertLocked(keys("moves/"), month.retention());
        assertLocked(Set.of(ManifestObjects.key(WEB, point.id()), Catalog.key(WEB, point.id())), month.retention());
        assertArrayEquals(disk(1, 7), PointBytes.read(repository, point, Backups.DISK));
    }

    /** A pack that gc empties, and a point that inherits of it: ready to be emptied by the next run. */
    private ObjectKey packToEmpty() throws IOException {
        Point old = backups.run(WEB, disk(1, 2, 3, 4, 5, 6));
        ObjectKey pack = keys("packs/").iterator().next();
        backups.run(WEB, disk(1, 7));
        repository.catalog().forget(WEB, old.id());
        new GarbageCollection(repository, () -> now, LeaseTerms.DEFAULT, new SecureRandom())
                .run(new GarbageCollection.Request(Duration.ofHours(1), 0.9, false), Progress.NONE);
        now = now.plus(Duration.ofHours(2));
        return pack;
    }

    private Runnable immutableBackup(List<Point> made, Immutability immutability) {
        return () -> {
            try (Repository another = Repository.open(store)) {
                Backups there = new Backups(another, index, () -> now, LeaseTerms.DEFAULT, random);
                made.add(there.run(WEB, Backups.unchanged(disk(1, 7)), Optional.of(immutability), _ -> {}, _ -> {}));
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        };
    }

    private void assertKept(Point point, Immutability immutability) throws IOException {
        assertLocked(keys("packs/"), immutability.retention());
        assertLocked(keys("moves/"), immutability.retention());
        assertArrayEquals(disk(1, 7), PointBytes.read(repository, point, Backups.DISK));
    }

    @Test
    void aPackThatIsLockedWhileGcEmptiesItStays() throws IOException {
        ObjectKey pack = packToEmpty();
        Immutability month = immutability(Mode.GOVERNANCE, MONTH);
        List<Point> made = new ArrayList<>();
        // The first question is whether it may be emptied, the second whether it may be deleted.
        store.beforeAsking(pack, () -> store.beforeAsking(pack, immutableBackup(made, month)));
        assertEquals(0, gc(0.9).compacted().packs());
        assertTrue(keys("packs/").contains(pack));
        assertEquals(List.of(), hiddenData());
        assertKept(made.getFirst(), month);
    }

    @Test
    void whatIsLockedTooLateForGcToSeeIsLockedWhereItWent() throws IOException {
        ObjectKey pack = packToEmpty();
        Immutability month = immutability(Mode.GOVERNANCE, MONTH);
        List<Point> made = new ArrayList<>();
        store.beforeDeleting(pack, immutableBackup(made, month));
        assertEquals(1, gc(0.9).compacted().packs());
        assertFalse(keys("packs/").contains(pack));
        assertEquals(1, keys("moves/").size());
        assertKept(made.getFirst(), month);
    }

    @Test
    void aPointThatHasLostAPackCannotBeImmutable() throws IOException {
        backups.run(WEB, disk(1, 2));
        store.delete(keys("packs/").iterator().next());
        Immutability month = immutability(Mode.GOVERNANCE, MONTH);
        RepositoryException refused = assertThrows(
                RepositoryException.class, () -> backups.run(WEB, Backups.unchanged(disk(1, 2)), Optional.of(month), _ -> {}, _ -> {}));
        assertEquals(RepositoryException.Reason.DAMAGED, refused.reason());
        assertTrue(refused.getMessage().contains("afterimage verify"), refused::getMessage);
        assertEquals(1, repository.catalog().pointIds(WEB).size());
    }

    @Test
    void aStoreWithoutObjectLockIsRefused() throws IOException {
        try (Repository plain = Repository.create(new MemoryObjectStore(), new ChunkSize(Backups.CHUNK), random)) {
            RepositoryException refused =
                    assertThrows(RepositoryException.class, () -> Immutability.of(plain, Mode.GOVERNANCE, MONTH, now));
            assertEquals(RepositoryException.Reason.NO_OBJECT_LOCK, refused.reason());
            assertTrue(refused.getMessage().startsWith("No point can be immutable in memory"), refused::getMessage);
        }
    }
}
