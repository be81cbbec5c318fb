package io.afterimage.maintenance;

import io.afterimage.block.MemoryDevice;
import io.afterimage.capture.Capture;
import io.afterimage.capture.Progress;
import io.afterimage.capture.SourceDisk;
import io.afterimage.catalog.BackupLease;
import io.afterimage.catalog.LeaseTerms;
import io.afterimage.catalog.Point;
import io.afterimage.index.ChunkIndex;
import io.afterimage.manifest.DiskName;
import io.afterimage.manifest.MachineName;
import io.afterimage.manifest.Manifest;
import io.afterimage.manifest.PointId;
import io.afterimage.repository.Immutability;
import io.afterimage.repository.PointWriter;
import io.afterimage.repository.Repository;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.security.SecureRandom;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.TreeMap;
import java.util.function.Consumer;

/** Backs up disks that are arrays, as images are backed up: read whole, what is known not stored again. */
record Backups(Repository repository, ChunkIndex index, InstantSource clock, LeaseTerms terms, SecureRandom random) {

    static final DiskName DISK = new DiskName("vda");
    static final int CHUNK = 4096;

    /** A disk of chunks, each of which is made by one of these numbers. */
    static byte[] disk(int... seeds) {
        byte[] bytes = new byte[seeds.length * CHUNK];
        byte[] chunk = new byte[CHUNK];
        for (int i = 0; i < seeds.length; i++) {
            new Random(seeds[i]).nextBytes(chunk);
            System.arraycopy(chunk, 0, bytes, i * CHUNK, CHUNK);
        }
        return bytes;
    }

    Point run(MachineName machine, byte[] disk) throws IOException {
        return run(machine, disk, _ -> {}, _ -> {});
    }

    /** The same, the point's objects being under a retention. */
    Point run(MachineName machine, byte[] disk, Immutability immutability) throws IOException {
        return run(machine, whole(disk), Optional.of(immutability), _ -> {}, _ -> {});
    }

    static SourceDisk whole(byte[] disk) throws IOException {
        return SourceDisk.whole(DISK, device(disk), Optional.empty());
    }

    /** A disk of which nothing has changed since the parent, so that all is inherited. */
    static SourceDisk unchanged(byte[] disk) throws IOException {
        return SourceDisk.changed(DISK, device(disk), List.of());
    }

    private static MemoryDevice device(byte[] disk) throws IOException {
        MemoryDevice device = new MemoryDevice(disk.length);
        device.write(0, ByteBuffer.wrap(disk));
        return device;
    }

    /**
     * @param begun told when the backup holds its leases, before it stores anything
     * @param sealed told the point when all of it is stored but the descriptor
     */
    Point run(MachineName machine, byte[] disk, Consumer<BackupLease> begun, Consumer<Point> sealed) throws IOException {
        return run(machine, whole(disk), Optional.empty(), begun, sealed);
    }

    Point run(
            MachineName machine,
            SourceDisk disk,
            Optional<Immutability> immutability,
            Consumer<BackupLease> begun,
            Consumer<Point> sealed)
            throws IOException {
        try (BackupLease lease = BackupLease.acquire(repository.store(), clock, terms, machine)) {
            begun.accept(lease);
            List<PointId> points = repository.catalog().pointIds(machine);
            Optional<Manifest> parent = repository.parent(lease, points.reversed());
            Instant now = clock.instant();
            PointId id = PointId.next(points.reversed().stream().findFirst(), now, random);
            try (PointWriter writer = new PointWriter(repository, lease, index, parent, immutability, random)) {
                Capture.Sealed point = new Capture(machine, id, now, parent, new TreeMap<>())
                        .run(repository, writer, List.of(disk), Progress.NONE);
                sealed.accept(point.point());
                return point.commit();
            }
        }
    }
}
