package io.afterimage.fuse.tree;

import io.afterimage.block.BlockDevice;
import io.afterimage.capture.Capture;
import io.afterimage.capture.Progress;
import io.afterimage.capture.SourceDisk;
import io.afterimage.catalog.BackupLease;
import io.afterimage.catalog.Catalog;
import io.afterimage.catalog.LeaseTerms;
import io.afterimage.catalog.OpenPoints;
import io.afterimage.catalog.Point;
import io.afterimage.catalog.PointDescriptor;
import io.afterimage.chunk.ChunkSize;
import io.afterimage.fetch.FetchSettings;
import io.afterimage.image.ImageLibrary;
import io.afterimage.index.ChunkIndex;
import io.afterimage.manifest.DiskName;
import io.afterimage.manifest.MachineName;
import io.afterimage.manifest.PointId;
import io.afterimage.repository.PointWriter;
import io.afterimage.repository.Repository;
import io.afterimage.store.MemoryObjectStore;
import io.afterimage.store.ObjectStore;
import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/** A repository in memory, and points in it. */
public final class SampleRepository implements Closeable {

    private static final SecureRandom RANDOM = new SecureRandom();
    private static final long MEMORY = 256L << 20;

    private final Path index;
    private final Repository repository;
    private final ImageLibrary images;

    /**
     * @param index a folder of its own
     * @param store holds nothing yet
     */
    public SampleRepository(Path index, ObjectStore store) throws IOException {
        this.index = index;
        repository = Repository.create(store, ChunkSize.DEFAULT, RANDOM);
        images = new ImageLibrary(
                repository, new OpenPoints(new MemoryObjectStore(), InstantSource.system(), LeaseTerms.DEFAULT), MEMORY, Optional.empty(), FetchSettings.DEFAULT);
    }

    public Repository repository() {
        return repository;
    }

    public ImageLibrary images() {
        return images;
    }

    /** Backs up a machine as of then. */
    public Point backUp(String machine, Instant time, Map<String, BlockDevice> disks, Map<String, String> definition) throws IOException {
        MachineName name = new MachineName(machine);
        List<SourceDisk> sources = new ArrayList<>();
        disks.forEach((disk, device) -> sources.add(SourceDisk.whole(new DiskName(disk), device, Optional.empty())));
        try (ChunkIndex chunks = ChunkIndex.open(index);
                BackupLease lease = BackupLease.acquire(repository.store(), InstantSource.system(), name);
                PointWriter writer = new PointWriter(repository, lease, chunks, Optional.empty(), RANDOM)) {
            return new Capture(name, PointId.at(time, RANDOM), time, Optional.empty(), new TreeMap<>(definition))
                    .run(repository, writer, sources, Progress.NONE)
                    .commit();
        }
    }

    /** Lists a point under another id, as if it had been made then: it costs next to nothing, and cannot be opened. */
    public PointId list(Point like, PointId id) throws IOException {
        Point point = new Point(
                id, like.machine(), id.time(), like.kind(), like.parent(), like.disks(), like.bytes(), like.manifest(), like.immutable());
        repository.putSealed(Catalog.key(like.machine(), id), PointDescriptor.of(point).toJson());
        return id;
    }

    @Override
    public void close() throws IOException {
        images.close();
        repository.close();
    }
}
