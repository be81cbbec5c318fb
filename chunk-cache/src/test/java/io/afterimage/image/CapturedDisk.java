package io.afterimage.image;

import io.afterimage.block.MemoryDevice;
import io.afterimage.cache.DiskTier;
import io.afterimage.capture.Capture;
import io.afterimage.capture.Progress;
import io.afterimage.capture.SourceDisk;
import io.afterimage.catalog.BackupLease;
import io.afterimage.catalog.LeaseTerms;
import io.afterimage.catalog.OpenPoints;
import io.afterimage.catalog.Point;
import io.afterimage.chunk.ChunkSize;
import io.afterimage.fetch.FetchSettings;
import io.afterimage.index.ChunkIndex;
import io.afterimage.keys.Secret;
import io.afterimage.manifest.DiskName;
import io.afterimage.manifest.MachineName;
import io.afterimage.manifest.PointId;
import io.afterimage.repository.KeySource;
import io.afterimage.repository.PointWriter;
import io.afterimage.repository.Repository;
import io.afterimage.store.MemoryObjectStore;
import io.afterimage.store.ObjectStore;
import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Optional;
import java.util.TreeMap;

/** A repository with one machine, whose one disk was backed up with the bytes given, as often as asked for. */
final class CapturedDisk implements Closeable {

    static final DiskName VDA = new DiskName("vda");

    private static final MachineName WEB = new MachineName("web");

    private final ObjectStore store;
    private final Optional<Secret> key;
    private final Repository repository;
    private final Path index;

    /** @param index a folder for the dedupe index */
    CapturedDisk(ObjectStore store, boolean encrypted, Path index) throws IOException {
        this.store = store;
        this.index = index;
        SecureRandom random = new SecureRandom();
        key = encrypted ? Optional.of(Secret.keyFile(Secret.newKeyFile(random))) : Optional.empty();
        repository = encrypted
                ? Repository.createEncrypted(store, ChunkSize.DEFAULT, key.get(), random)
                : Repository.create(store, ChunkSize.DEFAULT, random);
    }

    Point capture(byte[] content, long diskSize) throws IOException {
        SecureRandom random = new SecureRandom();
        MemoryDevice disk = new MemoryDevice(diskSize);
        disk.write(0, ByteBuffer.wrap(content));
        Instant now = Instant.now();
        try (ChunkIndex known = ChunkIndex.open(index);
                BackupLease lease = BackupLease.acquire(store, InstantSource.system(), WEB);
                PointWriter writer = new PointWriter(repository, lease, known, Optional.empty(), random)) {
            return new Capture(WEB, PointId.at(now, random), now, Optional.empty(), new TreeMap<>())
                    .run(repository, writer, List.of(SourceDisk.whole(VDA, disk, Optional.empty())), Progress.NONE)
                    .commit();
        }
    }

    Repository repository() {
        return repository;
    }

    /** The same repository as another process would open it, through another way to its store. */
    Repository reopen(ObjectStore way) throws IOException {
        return Repository.open(way, key.isPresent() ? KeySource.of(key.get()) : KeySource.NONE);
    }

    static ImageLibrary library(Repository repository, long memory, Optional<DiskTier> disk, FetchSettings settings) {
        return new ImageLibrary(
                repository, new OpenPoints(new MemoryObjectStore(), InstantSource.system(), LeaseTerms.DEFAULT), memory, disk, settings);
    }

    @Override
    public void close() throws IOException {
        repository.close();
    }
}
