package io.afterimage.overlay;

import io.afterimage.overlay.OverlayException.Reason;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.UUID;
import java.util.zip.CRC32C;

/**
 * The first 4 KiB of a map.
 *
 * @param id of the overlay, random: goes into each record's checksum, so that nothing else can be taken for one
 * @param diskSize in bytes
 * @param sequence number of the file's first record
 * @param checkpoint bytes of the records that were there when the file got its name
 */
record MapHeader(UUID id, long diskSize, long sequence, long checkpoint) {

    static final int LENGTH = BlockStates.BLOCK;

    private static final long MAGIC = 0x4146_5449_4d4f_5645L; // AFTIMOVE
    private static final int FORMAT = 1;
    private static final int CHECKED = 56;

    ByteBuffer encode() {
        ByteBuffer bytes = ByteBuffer.allocate(LENGTH);
        bytes.putLong(MAGIC).putInt(FORMAT).putInt(BlockStates.BLOCK).putLong(diskSize);
        bytes.putLong(id.getMostSignificantBits()).putLong(id.getLeastSignificantBits());
        bytes.putLong(sequence).putLong(checkpoint);
        bytes.putInt(checksum(bytes));
        return bytes.clear();
    }

    private static int checksum(ByteBuffer bytes) {
        CRC32C crc = new CRC32C();
        crc.update(bytes.slice(0, CHECKED));
        return (int) crc.getValue();
    }

    /** Reads the header of an overlay of a disk of that size. */
    static MapHeader read(OverlayFolder.Contents file, OverlayFolder folder, long diskSize) throws IOException {
        if (file.size() < LENGTH) {
            throw damaged(folder, "it is cut off");
        }
        ByteBuffer bytes = ByteBuffer.allocate(LENGTH);
        file.read(0, bytes);
        bytes.flip();
        if (bytes.getLong() != MAGIC) {
            throw damaged(folder, "it is another file");
        }
        int format = bytes.getInt();
        if (format > FORMAT) {
            throw new OverlayException(
                    Reason.UNSUPPORTED_FORMAT,
                    "The overlay in " + folder + " is of format " + format + " and this program reads up to " + FORMAT + ": use a newer Afterimage.");
        }
        int block = bytes.getInt();
        long size = bytes.getLong();
        UUID id = new UUID(bytes.getLong(), bytes.getLong());
        MapHeader header = new MapHeader(id, size, bytes.getLong(), bytes.getLong());
        if (bytes.getInt() != checksum(bytes) || block != BlockStates.BLOCK || header.checkpoint < 0 || header.checkpoint % LENGTH != 0) {
            throw damaged(folder, "its header does not verify");
        }
        if (header.diskSize != diskSize) {
            throw damaged(folder, "it is of a disk of " + header.diskSize + " bytes and lies over one of " + diskSize);
        }
        return header;
    }

    static OverlayException damaged(OverlayFolder folder, String how) {
        return new OverlayException(
                Reason.DAMAGED,
                "The map of the overlay in " + folder + " is damaged (" + how
                        + "): put the folder back from a copy, or give the overlay up with 'afterimage discard'.");
    }
}
