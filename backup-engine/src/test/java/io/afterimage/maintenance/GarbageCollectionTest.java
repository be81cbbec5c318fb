package io.afterimage.maintenance;

import static io.afterimage.maintenance.Backups.disk;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.afterimage.catalog.CatalogException;
import io.afterimage.catalog.GcLease;
import io.afterimage.catalog.HeldPoint;
import io.afterimage.catalog.LeaseTerms;
import io.afterimage.catalog.Point;
import io.afterimage.catalog.ReadLease;
import io.afterimage.chunk.ChunkSize;
import io.afterimage.chunk.PackId;
import io.afterimage.maintenance.GcReport.Tally;
import io.afterimage.manifest.CorruptManifestException;
import io.afterimage.manifest.ManifestObjects;
import io.afterimage.pack.PackObjects;
import io.afterimage.profile.BootProfile;
import io.afterimage.profile.BootProfiles;
import io.afterimage.repository.Condemnation;
import io.afterimage.repository.Repository;
import io.afterimage.store.ObjectKey;
import io.afterimage.store.Operation;
import io.afterimage.store.StoreStatistics;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** What goes, when, and what stays. */
class GarbageCollectionTest extends CollectedRepository {

    @Test
    void bootProfilesStayAsLongAsTheMachineHasAPoint() throws IOException {
        Point first = backups.run(WEB, disk(1));
        Point second = backups.run(WEB, disk(2));
        BootProfiles profiles = new BootProfiles(repository);
        profiles.put(WEB, Backups.DISK, new BootProfile(first.id(), now, true, List.of()));
        profiles.put(DB, Backups.DISK, new BootProfile(first.id(), now, true, List.of()));
        store.put(new ObjectKey("profiles/notes.txt"), ByteBuffer.wrap(new byte[1]));
        gc(GRACE, true);
        assertEquals(3, keys("profiles/").size());
        gc(GRACE);
        assertEquals(Set.of(BootProfiles.key(WEB, Backups.DISK), new ObjectKey("profiles/notes.txt")), keys("profiles/"));
        forget(first);
        gc(Duration.ZERO);
        assertEquals(Optional.of(first.id()), profiles.find(WEB, Backups.DISK).map(BootProfile::point));
        forget(second);
        try (ReadLease _ = ReadLease.acquire(store, () -> now, LeaseTerms.DEFAULT, List.of(HeldPoint.of(second)))) {
            gc(GRACE);
            assertTrue(profiles.find(WEB, Backups.DISK).isPresent(), "somebody may be booting it");
        }
        gc(GRACE);
        assertEquals(Set.of(new ObjectKey("profiles/notes.txt")), keys("profiles/"));
    }

    @Test
    void whatNoPointNeedsGoesAfterTheGracePeriod() throws IOException {
        Point first = backups.run(WEB, disk(1, 2, 3));
        Point second = backups.run(WEB, disk(4, 5, 6));
        assertEquals(0, gc(GRACE).condemned().packs());
        forget(first);
        GcReport condemning = gc(GRACE);
        assertEquals(Tally.NONE, condemning.deleted());
        assertEquals(1, condemning.condemned().packs());
        assertEquals(1, condemning.condemned().manifests());
        assertEquals(Optional.of(now.plus(GRACE)), condemning.deletableFrom());
        now = now.plus(GRACE).minusSeconds(1);
        assertEquals(Tally.NONE, gc(GRACE).deleted());
        assertEquals(2, keys("packs/").size());
        now = now.plusSeconds(1);
        GcReport deleting = gc(GRACE);
        assertEquals(condemning.condemned(), deleting.deleted());
        assertEquals(Tally.NONE, deleting.condemned());
        assertEquals(1, keys("packs/").size());
        assertEquals(Set.of(ManifestObjects.key(WEB, second.id())), keys("manifests/"));
        assertEquals(Set.of(), keys("condemned/"));
        assertEquals(Set.of(), keys("leases/"));
        assertExact(second, disk(4, 5, 6));
    }

    @Test
    void withoutAGracePeriodItGoesAtOnce() throws IOException {
        forget(backups.run(WEB, disk(1, 2, 3)));
        GcReport report = gc(Duration.ZERO);
        assertEquals(1, report.deleted().packs());
        assertEquals(1, report.deleted().manifests());
        assertEquals(0, report.points());
        assertEquals(1, keys("").size());
    }

    @Test
    void aDryRunTellsAndDoesNothing() throws IOException {
        forget(backups.run(WEB, disk(1, 2, 3)));
        Set<ObjectKey> before = keys("");
        StoreStatistics requests = store.statistics();
        assertEquals(1, gc(GRACE, true).condemned().packs());
        assertEquals(0, store.statistics().since(requests).of(Operation.PUT).requests());
        assertEquals(0, store.statistics().since(requests).of(Operation.DELETE).requests());
        assertEquals(before, keys(""));
        gc(GRACE);
        now = now.plus(GRACE);
        assertEquals(1, gc(GRACE, true).deleted().packs());
        assertEquals(1, keys("packs/").size());
    }

    @Test
    void partlyDeadPacksStayAndAreReported() throws IOException {
        Point first = backups.run(WEB, disk(1, 2, 3, 4));
        Point second = backups.run(WEB, disk(1, 2, 7, 8));
        forget(first);
        GcReport report = gc(Duration.ZERO);
        assertEquals(0, report.deleted().packs());
        assertEquals(1, report.deleted().manifests());
        assertEquals(1, report.partlyDead().packs());
        long frame = new ChunkSize(Backups.CHUNK).unit() * (long) (Backups.CHUNK + 64) / new ChunkSize(Backups.CHUNK).unit();
        assertTrue(report.partlyDead().bytes() >= 2 * frame && report.partlyDead().bytes() < 3 * frame, report.toString());
        assertEquals(0, report.missingPacks());
        assertExact(second, disk(1, 2, 7, 8));
    }

    @Test
    void garbageOfARunningBackupStaysUntilItIsOver() throws IOException {
        Point point = backups.run(WEB, disk(1, 2, 3), _ -> {}, _ -> {
            // All is stored and nothing of it listed.
            GcReport during = collectUnchecked(Duration.ZERO);
            assertEquals(Tally.NONE, during.deleted());
            assertEquals(1, during.condemned().packs());
            assertEquals(1, during.waitingForBackups());
        });
        GcReport after = gc(Duration.ZERO);
        assertEquals(Tally.NONE, after.deleted());
        assertEquals(Tally.NONE, after.condemned());
        assertExact(point, disk(1, 2, 3));
    }

    private GcReport collectUnchecked(Duration grace) {
        try {
            return gc(grace);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private void forgetUnchecked(Point point) {
        try {
            forget(point);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Test
    void aBackupInheritsFromItsParentThoughThatIsForgotten() throws IOException {
        Point parent = backups.run(WEB, disk(1, 2, 3));
        Point child = backups.run(WEB, disk(1, 2, 9), _ -> {}, _ -> {
            forgetUnchecked(parent);
            collectUnchecked(Duration.ZERO);
            collectUnchecked(Duration.ZERO);
        });
        assertExact(child, disk(1, 2, 9));
        gc(Duration.ZERO);
        assertExact(child, disk(1, 2, 9));
    }

    @Test
    void condemnedPacksAreNotReferredToAnew() throws IOException {
        Point first = backups.run(WEB, disk(1, 2, 3));
        forget(first);
        gc(GRACE);
        Point again = backups.run(DB, disk(1, 2, 3));
        assertEquals(0, again.bytes().deduplicated());
        now = now.plus(GRACE);
        assertEquals(1, gc(GRACE).deleted().packs());
        assertExact(again, disk(1, 2, 3));
    }

    @Test
    void whoBeganBeforeMayRefer() throws IOException {
        Point first = backups.run(WEB, disk(1, 2, 3));
        List<GcReport> during = new ArrayList<>();
        Point other = backups.run(DB, disk(1, 2, 3), _ -> {}, _ -> {
            forgetUnchecked(first);
            during.add(collectUnchecked(Duration.ZERO));
        });
        assertEquals(3L * Backups.CHUNK, other.bytes().deduplicated());
        // The manifest was condemned while the backup ran, too: nothing of that condemnation is carried out before the backup is over.
        assertEquals(Tally.NONE, during.getFirst().deleted());
        assertEquals(0, gc(Duration.ZERO).deleted().packs());
        assertExact(other, disk(1, 2, 3));
    }

    @Test
    void anOpenPointStaysThoughItIsForgotten() throws IOException {
        Point point = backups.run(WEB, disk(1, 2, 3));
        try (ReadLease lease = ReadLease.acquire(store, () -> now, LeaseTerms.DEFAULT, List.of(HeldPoint.of(point)))) {
            forget(point);
            assertEquals(Tally.NONE, gc(Duration.ZERO).deleted());
            lease.check();
        }
        assertEquals(1, gc(Duration.ZERO).deleted().packs());
    }

    @Test
    void aDeadBackupIsWaitedForUntilItsLastRequestCannotComeAnyMore() throws IOException {
        Duration life = LeaseTerms.DEFAULT.life().plus(LeaseTerms.DEFAULT.margin());
        assertThrows(IllegalStateException.class, () -> backups.run(WEB, disk(1, 2), lease -> lease.leave(), _ -> {
            throw new IllegalStateException("the backup dies");
        }));
        assertEquals(Tally.NONE, gc(Duration.ZERO).deleted());
        now = now.plus(life);
        assertEquals(Tally.NONE, gc(Duration.ZERO).deleted());
        now = now.plusMillis(1);
        assertEquals(1, gc(Duration.ZERO).deleted().packs());
        assertEquals(Set.of(), keys("leases/"));
    }

    @Test
    void whatWasCondemnedHalfIsArmedByTheNext() throws IOException {
        forget(backups.run(WEB, disk(1, 2, 3)));
        PackId pack = PackObjects.id(keys("packs/").iterator().next()).orElseThrow();
        Condemnation.of(now, Set.of(pack), Set.of(), Set.of()).put(store);
        now = now.plus(GRACE).plus(GRACE);
        assertEquals(Tally.NONE, gc(GRACE).deleted());
        assertTrue(Condemnation.list(store).stream().allMatch(condemnation -> condemnation.leases().isPresent()));
        now = now.plus(GRACE);
        assertEquals(1, gc(GRACE).deleted().packs());
    }

    @Test
    void aCondemnationOfWhatIsNeededAgainIsLifted() throws IOException {
        Point point = backups.run(WEB, disk(1, 2, 3));
        PackId pack = PackObjects.id(keys("packs/").iterator().next()).orElseThrow();
        Condemnation.of(now, Set.of(pack), Set.of(), Set.of()).armed(now, Set.of()).put(store);
        assertEquals(0, gc(Duration.ZERO).deleted().packs());
        assertEquals(1, keys("condemned/").size());
        now = now.plus(GRACE);
        assertEquals(0, gc(GRACE).deleted().packs());
        assertEquals(Set.of(), keys("condemned/"));
        assertExact(point, disk(1, 2, 3));
    }

    @Test
    void oneAtATime() throws IOException {
        try (GcLease held = GcLease.acquire(store, () -> now, LeaseTerms.DEFAULT)) {
            CatalogException refusal = assertThrows(CatalogException.class, () -> gc(GRACE));
            assertEquals(CatalogException.Reason.BUSY, refusal.reason());
            held.check();
        }
        gc(GRACE);
    }

    @Test
    void nothingIsDeletedUnlessAllManifestsAreRead() throws IOException {
        forget(backups.run(WEB, disk(1, 2, 3)));
        gc(GRACE);
        Point point = backups.run(DB, disk(4, 5, 6));
        store.put(ManifestObjects.key(DB, point.id()), ByteBuffer.allocate((int) point.manifest().length()));
        now = now.plus(GRACE);
        assertThrows(CorruptManifestException.class, () -> gc(GRACE));
        store.delete(ManifestObjects.key(DB, point.id()));
        assertThrows(CorruptManifestException.class, () -> gc(GRACE));
        assertEquals(2, keys("packs/").size());
    }

    @Test
    void aLeaseThatCannotBeReadStopsItUntilThatHasExpired() throws IOException {
        forget(backups.run(WEB, disk(1, 2, 3)));
        ObjectKey lease = ObjectKey.of("leases", "read", "strange.json");
        store.put(lease, ByteBuffer.wrap("{\"format\":2}".getBytes(java.nio.charset.StandardCharsets.UTF_8)));
        CatalogException refusal = assertThrows(CatalogException.class, () -> gc(Duration.ZERO));
        assertTrue(refusal.getMessage().contains(lease.value()), refusal.getMessage());
        now = now.plus(Duration.ofHours(1));
        assertEquals(1, gc(Duration.ZERO).deleted().packs());
        assertFalse(keys("leases/").contains(lease));
    }

    @Test
    void requestsAreProportionalToManifestsAndDeletions() throws IOException {
        List<Point> points = new ArrayList<>();
        for (int i = 0; i < 40; i++) {
            points.add(backups.run(WEB, disk(i, 100 + i, 200 + i)));
        }
        for (Point point : points.subList(0, 30)) {
            forget(point);
        }
        repository = Repository.open(store);
        StoreStatistics before = store.statistics();
        gc(GRACE);
        StoreStatistics condemning = store.statistics().since(before);
        // Its lease, the condemnation twice.
        assertEquals(3, condemning.of(Operation.PUT).requests());
        assertEquals(1, condemning.of(Operation.DELETE).requests());
        // Its own lease twice; ten points' descriptors and manifests.
        assertEquals(2 + 2 * 10, condemning.of(Operation.GET).requests());
        // Leases of gc, condemnations, packs, boot profiles, points, moves, damage; manifests and leases twice; leases of backups.
        assertEquals(12, condemning.of(Operation.LIST).requests());
        now = now.plus(GRACE);
        before = store.statistics();
        gc(GRACE);
        StoreStatistics deleting = store.statistics().since(before);
        assertEquals(1, deleting.of(Operation.PUT).requests());
        // Manifests, packs, the condemnation, the lease: a thousand at a time.
        assertEquals(4, deleting.of(Operation.DELETE).requests());
        assertEquals(10, keys("packs/").size());
    }
}
