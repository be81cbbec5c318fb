package io.afterimage.app.backup;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.afterimage.capture.Progress;
import io.afterimage.chunk.ChunkSize;
import io.afterimage.index.ChunkIndex;
import io.afterimage.manifest.MachineName;
import io.afterimage.pack.PackObjects;
import io.afterimage.repository.Repository;
import io.afterimage.settings.ImageSource;
import io.afterimage.store.CountingStore;
import io.afterimage.store.Listing;
import io.afterimage.store.MemoryObjectStore;
import io.afterimage.store.Operation;
import io.afterimage.store.StoreStatistics;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.InstantSource;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a backup costs in requests, which is what an object store bills and what a long way multiplies. */
class BackUpImagesTest {

    /** Leases taken, confirmed and given back, manifest, descriptor, and what must be listed before. */
    private static final int BESIDE_PACKS = 18;

    @TempDir
    private Path folder;

    @Test
    void aBackupOfSoManyPacksCostsAsManyRequestsAndAFewMore() throws IOException {
        try (CountingStore store = new CountingStore(new MemoryObjectStore());
                Repository repository = Repository.create(store, ChunkSize.DEFAULT, new SecureRandom());
                ChunkIndex index = ChunkIndex.open(folder.resolve("index"))) {
            Random random = new Random(7);
            byte[] disk = new byte[70 << 20];
            random.nextBytes(disk);
            StoreStatistics first = cost(repository, index, store, disk);
            int packs = packs(store);
            assertTrue(packs >= 4, packs + " packs");
            assertTrue(first.requests() <= packs + BESIDE_PACKS, first::toString);
            assertEquals(packs + 4, first.of(Operation.PUT).requests(), first::toString); // lease, twice, manifest, descriptor

            // Nothing is new: the parent's manifest, its descriptor, and no pack.
            StoreStatistics second = cost(repository, index, store, disk);
            assertEquals(packs, packs(store));
            assertTrue(second.requests() <= BESIDE_PACKS, second::toString);

            // A pack more is a request more.
            byte[] more = new byte[1 << 20];
            random.nextBytes(more);
            System.arraycopy(more, 0, disk, 20 << 20, more.length);
            StoreStatistics third = cost(repository, index, store, disk);
            assertEquals(packs + 1, packs(store));
            assertEquals(second.of(Operation.PUT).requests() + 1, third.of(Operation.PUT).requests(), third::toString);
        }
    }

    private StoreStatistics cost(Repository repository, ChunkIndex index, CountingStore store, byte[] disk) throws IOException {
        Path image = Files.write(folder.resolve("disk.raw"), disk);
        StoreStatistics before = store.statistics();
        new BackUpImages(repository, index, folder.resolve("seen"), InstantSource.system(), new SecureRandom())
                .run(new BackUpImages.Request(new MachineName("web"), List.of(ImageSource.parse("vda=raw:" + image)), Optional.empty()), Progress.NONE);
        return store.statistics().since(before);
    }

    private static int packs(CountingStore store) throws IOException {
        int count = 0;
        for (Listing listing = store.list(PackObjects.ALL); listing.hasNext(); listing.next()) {
            count++;
        }
        return count;
    }
}
