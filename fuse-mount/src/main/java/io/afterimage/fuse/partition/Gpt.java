package io.afterimage.fuse.partition;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.zip.CRC32;

/**
 * The GUID Partition Table (UEFI Specification 2.10, section 5.3): the one at the beginning or, where it is not whole, its backup at the
 * disk's end, or where the first one says that it is (a disk that has grown).
 */
final class Gpt {

    private static final long SIGNATURE = 0x5452415020494645L; // "EFI PART"
    private static final int SMALLEST_HEADER = 92;
    private static final int SMALLEST_ENTRY = 128;
    private static final int LARGEST_ENTRY = 4096;

    /** The usual table has 16 KiB. */
    private static final int LARGEST_TABLE = 1 << 20;

    private final Sectors sectors;

    private Gpt(Sectors sectors) {
        this.sectors = sectors;
    }

    /** Empty if neither header with its table is whole. */
    static Optional<List<Partition>> read(Sectors sectors) throws IOException {
        Gpt gpt = new Gpt(sectors);
        Optional<ByteBuffer> first = gpt.header(1);
        Optional<List<Partition>> partitions = first.isPresent() ? gpt.partitions(first.get()) : Optional.empty();
        if (partitions.isEmpty() && first.isPresent()) {
            partitions = gpt.backup(first.get().getLong(32));
        }
        return partitions.isPresent() ? partitions : gpt.backup(sectors.count() - 1);
    }

    private Optional<List<Partition>> backup(long sector) throws IOException {
        Optional<ByteBuffer> header = header(sector);
        return header.isPresent() ? partitions(header.get()) : Optional.empty();
    }

    /** The header at that sector, if it is one, whole, and at home there. */
    private Optional<ByteBuffer> header(long sector) throws IOException {
        Optional<ByteBuffer> bytes = sectors.read(sector, sectors.size());
        return bytes.filter(header -> {
            int size = header.getInt(12);
            if (header.getLong(0) != SIGNATURE || size < SMALLEST_HEADER || size > sectors.size() || header.getLong(24) != sector) {
                return false;
            }
            int sum = header.getInt(16);
            header.putInt(16, 0);
            return sum(header.slice(0, size)) == sum;
        });
    }

    private Optional<List<Partition>> partitions(ByteBuffer header) throws IOException {
        long entries = Integer.toUnsignedLong(header.getInt(80));
        int entrySize = header.getInt(84);
        if (entrySize < SMALLEST_ENTRY || entrySize > LARGEST_ENTRY || Integer.bitCount(entrySize) != 1 || entries > LARGEST_TABLE / entrySize) {
            return Optional.empty();
        }
        Optional<ByteBuffer> table = sectors.read(header.getLong(72), (int) entries * entrySize);
        return table.filter(bytes -> sum(bytes) == header.getInt(88)).map(bytes -> partitions(bytes, entrySize));
    }

    private List<Partition> partitions(ByteBuffer table, int entrySize) {
        List<Partition> partitions = new ArrayList<>();
        for (int number = 1; number * entrySize <= table.limit() && number <= PartitionTable.MOST_PARTITIONS; number++) {
            ByteBuffer entry = table.slice((number - 1) * entrySize, entrySize).order(table.order());
            boolean used = entry.getLong(0) != 0 || entry.getLong(8) != 0;
            long first = entry.getLong(32);
            long last = entry.getLong(40);
            if (used && first > 0 && last >= first) {
                int ofEntry = number;
                // The length of a hostile one overflows, and is none then.
                sectors.range(first, last - first + 1).ifPresent(range -> partitions.add(new Partition(ofEntry, range)));
            }
        }
        return List.copyOf(partitions);
    }

    private static int sum(ByteBuffer bytes) {
        CRC32 sum = new CRC32();
        sum.update(bytes.duplicate());
        return (int) sum.getValue();
    }
}
