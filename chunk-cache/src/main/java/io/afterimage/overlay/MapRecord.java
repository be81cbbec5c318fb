package io.afterimage.overlay;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.LongBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.zip.CRC32C;

/**
 * Pages of the map as they were at a flush.
 *
 * @param sequence one more than that of the record before it
 */
record MapRecord(long sequence, List<Page> pages) {

    /** Pages of one record: a MiB and a bit. */
    static final int MOST_PAGES = 4096;

    private static final int MAGIC = 0x4f56_4c52; // OVLR
    private static final int HEADER = 24;
    private static final int PAGE = 4 + 8 * BlockStates.WORDS;
    /** From here on bytes go into the checksum. */
    private static final int CHECKED = 8;

    /** All states of one page: {@link BlockStates#WORDS} words. */
    record Page(int number, LongBuffer image) {}

    /** Bytes that it takes in the file. */
    int length() {
        return length(pages.size());
    }

    private static int length(int pages) {
        return Math.ceilDiv(HEADER + pages * PAGE, BlockStates.BLOCK) * BlockStates.BLOCK;
    }

    ByteBuffer encode(UUID overlay) {
        ByteBuffer bytes = ByteBuffer.allocate(length());
        bytes.putInt(MAGIC).putInt(0).putLong(sequence).putInt(pages.size()).putInt(0);
        for (Page page : pages) {
            bytes.putInt(page.number);
            for (int i = 0; i < BlockStates.WORDS; i++) {
                bytes.putLong(page.image.get(i));
            }
        }
        return bytes.putInt(4, checksum(bytes, overlay)).clear();
    }

    private static int checksum(ByteBuffer bytes, UUID overlay) {
        CRC32C crc = new CRC32C();
        crc.update(ByteBuffer.allocate(16).putLong(overlay.getMostSignificantBits()).putLong(overlay.getLeastSignificantBits()).flip());
        crc.update(bytes.slice(CHECKED, bytes.capacity() - CHECKED));
        return (int) crc.getValue();
    }

    /** The record that lies there, or null if none does that is whole. */
    static MapRecord read(OverlayFolder.Contents file, long position, long fileSize, UUID overlay) throws IOException {
        if (fileSize - position < HEADER) {
            return null;
        }
        ByteBuffer head = ByteBuffer.allocate(HEADER);
        file.read(position, head);
        int count = head.getInt(16);
        if (head.getInt(0) != MAGIC || count < 1 || count > MOST_PAGES || fileSize - position < length(count)) {
            return null;
        }
        ByteBuffer bytes = ByteBuffer.allocate(length(count));
        file.read(position, bytes);
        if (bytes.getInt(4) != checksum(bytes, overlay)) {
            return null;
        }
        bytes.position(HEADER);
        List<Page> pages = new ArrayList<>(count);
        for (int i = 0; i < count; i++) {
            int number = bytes.getInt();
            pages.add(new Page(number, bytes.slice(bytes.position(), 8 * BlockStates.WORDS).asLongBuffer()));
            bytes.position(bytes.position() + 8 * BlockStates.WORDS);
        }
        return new MapRecord(bytes.getLong(8), pages);
    }
}
