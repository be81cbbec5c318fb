package io.afterimage.fuse.partition;

import io.afterimage.block.MemoryDevice;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.zip.CRC32;

/** Writes partition tables, good and bad ones, as the formats have them; counts in sectors. */
final class TableWriter {

    static final int LINUX = 0x83;
    static final int EXTENDED = 0x05;
    static final int PROTECTIVE = 0xEE;
    static final int GPT_ENTRIES = 128;
    private static final int GPT_ENTRY = 128;

    final MemoryDevice disk;
    private final int sectorSize;

    TableWriter(long sectors, int sectorSize) {
        disk = new MemoryDevice(sectors * sectorSize);
        this.sectorSize = sectorSize;
    }

    long sectors() {
        return disk.size() / sectorSize;
    }

    void write(long sector, int within, byte... bytes) {
        disk.write(sector * sectorSize + within, ByteBuffer.wrap(bytes));
    }

    /** Turns the bits of one byte over. */
    void spoil(long sector, int within) {
        ByteBuffer one = ByteBuffer.allocate(1);
        disk.read(sector * sectorSize + within, one);
        write(sector, within, (byte) ~one.get(0));
    }

    TableWriter record(long sector) {
        write(sector, 510, (byte) 0x55, (byte) 0xAA);
        return this;
    }

    /** An entry of the record in that sector, by position from 0. */
    TableWriter entry(long sector, int position, int type, long start, long length) {
        byte[] entry = new byte[16];
        little(entry).put(4, (byte) type).putInt(8, (int) start).putInt(12, (int) length);
        write(sector, 446 + 16 * position, entry);
        return record(sector);
    }

    /** What a file system's beginning looks like. */
    TableWriter ext4(long sector) {
        write(sector, 0x438, (byte) 0x53, (byte) 0xEF);
        return this;
    }

    /** Both tables, with these first and last sectors; a pair of zeros leaves an entry out. */
    TableWriter gpt(long... firstAndLast) {
        entry(0, 0, PROTECTIVE, 1, sectors() - 1);
        int tableSectors = (GPT_ENTRIES * GPT_ENTRY + sectorSize - 1) / sectorSize;
        gptAt(1, sectors() - 1, 2, firstAndLast);
        gptAt(sectors() - 1, 1, sectors() - 1 - tableSectors, firstAndLast);
        return this;
    }

    TableWriter gptAt(long at, long other, long table, long... firstAndLast) {
        byte[] bytes = new byte[GPT_ENTRIES * GPT_ENTRY];
        ByteBuffer entries = little(bytes);
        for (int number = 0; number < firstAndLast.length / 2; number++) {
            if (firstAndLast[2 * number + 1] != 0) {
                entries.putLong(number * GPT_ENTRY, 0x1122334455667788L + number);
            }
            entries.putLong(number * GPT_ENTRY + 32, firstAndLast[2 * number]);
            entries.putLong(number * GPT_ENTRY + 40, firstAndLast[2 * number + 1]);
        }
        write(table, 0, bytes);
        header(at, other, table, GPT_ENTRIES, GPT_ENTRY, sum(bytes));
        return this;
    }

    void header(long at, long other, long table, int entries, int entrySize, int entriesSum) {
        byte[] bytes = new byte[92];
        ByteBuffer header = little(bytes)
                .put(0, "EFI PART".getBytes(StandardCharsets.US_ASCII))
                .putInt(8, 0x10000)
                .putInt(12, 92)
                .putLong(24, at)
                .putLong(32, other)
                .putLong(40, 34)
                .putLong(48, sectors() - 34)
                .putLong(72, table)
                .putInt(80, entries)
                .putInt(84, entrySize)
                .putInt(88, entriesSum);
        header.putInt(16, sum(bytes));
        write(at, 0, bytes);
    }

    static int sum(byte[] bytes) {
        CRC32 sum = new CRC32();
        sum.update(bytes);
        return (int) sum.getValue();
    }

    private static ByteBuffer little(byte[] bytes) {
        return ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    }
}
