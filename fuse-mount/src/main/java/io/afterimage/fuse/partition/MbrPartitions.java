package io.afterimage.fuse.partition;

import io.afterimage.block.BlockDevice;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * The partitions of a disk with a master boot record: up to four primary ones, and logical ones, whose records are a chain within the
 * extended partition.
 *
 * <p>The record does not tell the size of its sectors, which is almost always 512. It is taken for 4096 where that makes sense of the table and 512
 * does not: no partition's beginning looks like anything known, counted in 512 bytes, and one does in 4096.
 */
final class MbrPartitions {

    private static final int FIRST_LOGICAL = 5;

    /** Records of a chain that are read; the kernel gives up after 100. */
    private static final int LONGEST_CHAIN = 256;

    private final Sectors sectors;
    private final List<Partition> partitions = new ArrayList<>();
    private final Set<Long> visited = new HashSet<>();
    private int nextLogical = FIRST_LOGICAL;

    private MbrPartitions(Sectors sectors) {
        this.sectors = sectors;
    }

    static List<Partition> read(BlockDevice disk, MasterBootRecord record) throws IOException {
        if (!record.isTable()) {
            return List.of();
        }
        List<Partition> usual = read(new Sectors(disk, 512), record);
        if (Signature.beginsAny(disk, usual)) {
            return usual;
        }
        List<Partition> large = read(new Sectors(disk, 4096), record);
        return Signature.beginsAny(disk, large) ? large : usual;
    }

    private static List<Partition> read(Sectors sectors, MasterBootRecord record) throws IOException {
        MbrPartitions reading = new MbrPartitions(sectors);
        for (int number = 1; number <= record.entries().size(); number++) {
            MasterBootRecord.Entry entry = record.entries().get(number - 1);
            if (entry.isUsed() && !entry.isExtended()) {
                reading.add(number, entry.start(), entry.length());
            }
        }
        for (MasterBootRecord.Entry entry : record.entries()) {
            if (entry.isUsed() && entry.isExtended()) {
                reading.follow(entry);
            }
        }
        return List.copyOf(reading.partitions);
    }

    private void add(int number, long first, long length) {
        sectors.range(first, length).ifPresent(range -> partitions.add(new Partition(number, range)));
    }

    /** A chain may be a loop, lead out of its frame, or never end. */
    private void follow(MasterBootRecord.Entry frame) throws IOException {
        long at = frame.start();
        while (visited.size() < LONGEST_CHAIN && partitions.size() < PartitionTable.MOST_PARTITIONS && visited.add(at)) {
            Optional<MasterBootRecord> record = MasterBootRecord.read(sectors, at);
            if (record.isEmpty()) {
                return;
            }
            addLogical(frame, at, record.get());
            Optional<MasterBootRecord.Entry> next =
                    record.get().entries().stream().filter(entry -> entry.isUsed() && entry.isExtended()).findFirst();
            if (next.isEmpty() || next.get().start() == 0 || next.get().start() >= frame.length()) {
                return;
            }
            at = frame.start() + next.get().start();
        }
    }

    private void addLogical(MasterBootRecord.Entry frame, long at, MasterBootRecord record) {
        for (int position = 0; position < record.entries().size(); position++) {
            MasterBootRecord.Entry entry = record.entries().get(position);
            long first = at + entry.start();
            // Some tools have left rubbish in the third and fourth entry.
            boolean credible = position < 2 || (first >= frame.start() && first + entry.length() <= frame.start() + frame.length());
            if (entry.isUsed() && !entry.isExtended() && credible) {
                add(nextLogical++, first, entry.length());
            }
        }
    }
}
