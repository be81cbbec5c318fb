package io.afterimage.repository;

import io.afterimage.block.MemoryDevice;
import io.afterimage.capture.Capture;
import io.afterimage.capture.Progress;
import io.afterimage.capture.SourceDisk;
import io.afterimage.catalog.BackupLease;
import io.afterimage.catalog.Point;
import io.afterimage.index.ChunkIndex;
import io.afterimage.manifest.DiskName;
import io.afterimage.manifest.MachineName;
import io.afterimage.manifest.PointId;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/** Whole backups of bytes in memory. */
final class Backup {

    /** So long that no noise shows it by chance. */
    static final DiskName DISK = new DiskName("boot-disk");

    private static final SecureRandom RANDOM = new SecureRandom();

    private Backup() {}

    /** @param indexFolder of this repository alone */
    static Point of(Repository repository, Path indexFolder, String machineName, byte[] disk, Map<String, String> definition)
            throws IOException {
        MachineName machine = new MachineName(machineName);
        MemoryDevice device = new MemoryDevice(disk.length);
        device.write(0, ByteBuffer.wrap(disk));
        Instant now = Instant.now();
        try (ChunkIndex index = ChunkIndex.open(indexFolder);
                BackupLease lease = BackupLease.acquire(repository.store(), InstantSource.system(), machine);
                PointWriter writer = new PointWriter(repository, lease, index, Optional.empty(), RANDOM)) {
            return new Capture(machine, PointId.at(now, RANDOM), now, Optional.empty(), new TreeMap<>(definition))
                    .run(repository, writer, List.of(SourceDisk.whole(DISK, device, Optional.empty())), Progress.NONE)
                    .commit();
        }
    }
}
