package io.afterimage.fuse.partition;

import io.afterimage.block.BlockDevice;
import java.io.IOException;
import java.util.List;
import java.util.Optional;

/** Reads partition tables. */
public final class PartitionTable {

    /** As the Linux kernel: no disk has more. */
    static final int MOST_PARTITIONS = 256;

    private static final int[] SECTOR_SIZES = {512, 4096};

    private PartitionTable() {}

    /**
     * The partitions of a disk, by number; none where there is no table, or none that is whole.
     *
     * @throws IOException if the disk cannot be read
     */
    public static List<Partition> read(BlockDevice disk) throws IOException {
        Optional<MasterBootRecord> record = MasterBootRecord.read(new Sectors(disk, SECTOR_SIZES[0]), 0);
        if (record.isEmpty()) {
            return List.of();
        }
        if (!record.get().isProtective()) {
            return MbrPartitions.read(disk, record.get());
        }
        for (int sectorSize : SECTOR_SIZES) {
            Optional<List<Partition>> partitions = Gpt.read(new Sectors(disk, sectorSize));
            if (partitions.isPresent()) {
                return partitions.get();
            }
        }
        return List.of();
    }
}
