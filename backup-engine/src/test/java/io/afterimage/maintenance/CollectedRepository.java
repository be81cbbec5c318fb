package io.afterimage.maintenance;

import static io.afterimage.maintenance.Backups.disk;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import io.afterimage.capture.Progress;
import io.afterimage.catalog.LeaseTerms;
import io.afterimage.catalog.Point;
import io.afterimage.chunk.ChunkSize;
import io.afterimage.index.ChunkIndex;
import io.afterimage.manifest.MachineName;
import io.afterimage.repository.PointBytes;
import io.afterimage.repository.Repository;
import io.afterimage.store.CountingStore;
import io.afterimage.store.KeyPrefix;
import io.afterimage.store.MemoryObjectStore;
import io.afterimage.store.ObjectInfo;
import io.afterimage.store.ObjectKey;
import io.afterimage.store.ObjectStore;
import java.io.IOException;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.Instant;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;

/** A small repository in memory whose garbage is collected, under clocks that the test moves. */
abstract class CollectedRepository {

    static final MachineName WEB = new MachineName("web");
    static final MachineName DB = new MachineName("db");
    static final Duration GRACE = Duration.ofHours(24);

    @TempDir
    private Path folder;

    final SecureRandom random = new SecureRandom();
    Instant now = Instant.parse("2026-11-20T12:00:00Z");
    /** How far the store's clock is ahead of that of the host that collects. */
    Duration ahead = Duration.ZERO;
    final CountingStore store = new CountingStore(new MemoryObjectStore(() -> now.plus(ahead), ObjectStore.PAGE));
    Repository repository;
    ChunkIndex index;
    Backups backups;

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

    GcReport gc(Duration grace) throws IOException {
        return gc(grace, false);
    }

    GcReport gc(Duration grace, boolean dryRun) throws IOException {
        return gc(new GarbageCollection.Request(grace, 0, dryRun));
    }

    GcReport gc(GarbageCollection.Request request) throws IOException {
        return new GarbageCollection(repository, () -> now, LeaseTerms.DEFAULT, new SecureRandom()).run(request, Progress.NONE);
    }

    Set<ObjectKey> keys(String prefix) throws IOException {
        return Set.copyOf(store.list(new KeyPrefix(prefix)).toList().stream().map(ObjectInfo::key).toList());
    }

    void assertExact(Point point, byte[] disk) throws IOException {
        assertArrayEquals(disk, PointBytes.read(repository, point, Backups.DISK));
    }

    void forget(Point point) throws IOException {
        repository.catalog().forget(point.machine(), point.id());
    }
}
