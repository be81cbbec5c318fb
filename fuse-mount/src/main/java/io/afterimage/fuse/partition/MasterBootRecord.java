package io.afterimage.fuse.partition;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;

/**
 * The four entries of the classic partition table, in a disk's first sector or in that of a logical partition.
 *
 * @param entries four, used or not
 */
record MasterBootRecord(List<Entry> entries) {

    private static final int BYTES = 512;
    private static final int TABLE = 446;
    private static final int SIGNATURE = 0xAA55;
    private static final int GPT = 0xEE;

    /**
     * One entry.
     *
     * @param flag 0, or 0x80 for the one to boot from; anything else shows that this is no table
     * @param type what is in it, as one believed then
     * @param start counted in sectors from where depends on the type
     * @param length in sectors
     */
    record Entry(int flag, int type, long start, long length) {

        private static Entry at(ByteBuffer bytes, int offset) {
            return new Entry(
                    Byte.toUnsignedInt(bytes.get(offset)),
                    Byte.toUnsignedInt(bytes.get(offset + 4)),
                    Integer.toUnsignedLong(bytes.getInt(offset + 8)),
                    Integer.toUnsignedLong(bytes.getInt(offset + 12)));
        }

        /** Whether it names a place at all. */
        boolean isUsed() {
            return length > 0;
        }

        /** Whether it is the frame of logical partitions. */
        boolean isExtended() {
            return type == 0x05 || type == 0x0F || type == 0x85;
        }
    }

    /** The record in that sector, if it has a record's signature. */
    static Optional<MasterBootRecord> read(Sectors sectors, long sector) throws IOException {
        return sectors.read(sector, BYTES)
                .filter(bytes -> Short.toUnsignedInt(bytes.getShort(BYTES - 2)) == SIGNATURE)
                .map(bytes -> new MasterBootRecord(
                        IntStream.range(0, 4).mapToObj(number -> Entry.at(bytes, TABLE + 16 * number)).toList()));
    }

    /** Whether it only says that the disk has a GPT. */
    boolean isProtective() {
        return entries.stream().anyMatch(entry -> entry.type() == GPT && entry.start() == 1);
    }

    /** Whether the flags are those of a table: the boot sector of a file system has the same signature, and program code there. */
    boolean isTable() {
        return entries.stream().allMatch(entry -> entry.flag() == 0 || entry.flag() == 0x80);
    }
}
