package io.afterimage.maintenance;

import static io.afterimage.maintenance.Backups.disk;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.afterimage.catalog.LeaseTerms;
import io.afterimage.catalog.Point;
import io.afterimage.chunk.ChunkSize;
import io.afterimage.maintenance.GcReport.Tally;
import io.afterimage.pack.PackObjects;
import io.afterimage.repository.PointBytes;
import io.afterimage.repository.Repository;
import io.afterimage.store.FaultyStore;
import io.afterimage.store.MemoryObjectStore;
import io.afterimage.store.ObjectKey;
import io.afterimage.store.ObjectStore;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Packs of which little is needed. */
class CompactionTest extends CollectedRepository {

    @Test
    void packsOfWhichLittleIsNeededAreEmptiedIntoOthers() throws IOException {
        Point first = backups.run(WEB, disk(1, 2, 3, 4, 5));
        Point second = backups.run(WEB, disk(6, 7, 8, 9, 5));
        Point third = backups.run(WEB, disk(6, 1, 8, 9, 5));
        forget(first);
        GarbageCollection.Request request = new GarbageCollection.Request(GRACE, 0.5, false);
        GcReport condemning = gc(request);
        assertEquals(1, condemning.toCompact().packs());
        assertEquals(Tally.NONE, condemning.compacted());
        now = now.plus(GRACE);
        GcReport compacting = gc(request);
        assertEquals(1, compacting.compacted().packs());
        assertTrue(compacting.compacted().bytes() > 2L * Backups.CHUNK, compacting.toString());
        assertEquals(0, compacting.missingPacks());
        assertEquals(Tally.NONE, compacting.partlyDead());
        assertEquals(2, keys("packs/").size());
        assertEquals(1, keys("moves/").size());
        repository = Repository.open(store);
        assertExact(second, disk(6, 7, 8, 9, 5));
        assertExact(third, disk(6, 1, 8, 9, 5));
        // What moves lead to is needed; when nobody needs it any more, the moves go with it.
        gc(Duration.ZERO);
        assertExact(third, disk(6, 1, 8, 9, 5));
        forget(second);
        forget(third);
        gc(Duration.ZERO);
        gc(Duration.ZERO);
        assertEquals(1, keys("").size());
    }

    @Test
    void aCompactionThatDiesAtAnyRequestLosesNothingAndIsFinishedByTheNext() throws IOException {
        boolean died = true;
        for (int requests = 0; died; requests++) {
            MemoryObjectStore memory = new MemoryObjectStore(() -> now, ObjectStore.PAGE);
            repository = Repository.create(memory, new ChunkSize(Backups.CHUNK), random);
            backups = new Backups(repository, index, () -> now, LeaseTerms.DEFAULT, random);
            Point first = backups.run(WEB, disk(1, 2, 3, 4, 5));
            Point second = backups.run(WEB, disk(6, 7, 8, 9, 5));
            Point third = backups.run(WEB, disk(6, 1, 8, 9, 5));
            forget(first);
            FaultyStore faulty = new FaultyStore(memory, requests, FaultyStore.Rates.NONE);
            repository = Repository.open(faulty);
            repository.setRequestsAtOnce(1);
            faulty.crashAfter(requests);
            died = diesCompacting();
            for (Duration later : List.of(Duration.ZERO, Duration.ofHours(1))) {
                now = now.plus(later);
                repository = Repository.open(memory);
                if (!later.isZero()) {
                    assertEquals(Tally.NONE, compactAtOnce().partlyDead());
                    assertEquals(2, memory.list(PackObjects.ALL).toList().size(), "killed at request " + requests);
                }
                assertExact(second, disk(6, 7, 8, 9, 5));
                assertExact(third, disk(6, 1, 8, 9, 5));
            }
        }
    }

    private GcReport compactAtOnce() throws IOException {
        return gc(new GarbageCollection.Request(Duration.ZERO, 0.5, false));
    }

    private boolean diesCompacting() throws IOException {
        try {
            compactAtOnce();
            return false;
        } catch (FaultyStore.SimulatedCrash e) {
            return true;
        }
    }

    @Test
    void aDamagedPackIsNotEmptied() throws IOException {
        Point first = backups.run(WEB, disk(1, 2, 3, 4, 5));
        ObjectKey pack = keys("packs/").iterator().next();
        Point second = backups.run(WEB, disk(1, 7, 8, 9, 10));
        forget(first);
        byte[] bytes = store.getWhole(pack, 1 << 20);
        bytes[200] ^= 1;
        store.put(pack, ByteBuffer.wrap(bytes));
        compactAtOnce();
        assertTrue(keys("packs/").contains(pack));
        assertThrows(IOException.class, () -> PointBytes.read(repository, second, Backups.DISK));
    }
}
