package io.afterimage.fuse.partition;

import io.afterimage.block.BlockDevice;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.List;

/**
 * What the common contents of partitions begin with.
 *
 * @param offset of the bytes from the partition's beginning
 * @param bytes as ISO 8859-1
 */
record Signature(int offset, String bytes) {

    private static final List<Signature> KNOWN = List.of(
            new Signature(0x438, "S\u00EF"), // ext2, 3, 4
            new Signature(0, "XFSB"),
            new Signature(0x10040, "_BHRfS_M"),
            new Signature(0x200, "LABELONE"), // LVM, in its second sector
            new Signature(0, "LUKS\u00BA\u00BE"),
            new Signature(0xFF6, "SWAPSPACE2"),
            new Signature(0x1FE, "U\u00AA")); // boot sectors: FAT, NTFS

    /** Looked at; each may cost a way to the store. */
    private static final int MOST_LOOKED_AT = 8;

    /** Whether any of the first partitions begins with something known. */
    static boolean beginsAny(BlockDevice disk, List<Partition> partitions) throws IOException {
        for (Partition partition : partitions.subList(0, Math.min(partitions.size(), MOST_LOOKED_AT))) {
            for (Signature signature : KNOWN) {
                if (signature.isIn(disk, partition)) {
                    return true;
                }
            }
        }
        return false;
    }

    private boolean isIn(BlockDevice disk, Partition partition) throws IOException {
        if (offset + bytes.length() > partition.range().length()) {
            return false;
        }
        ByteBuffer found = ByteBuffer.allocate(bytes.length());
        disk.read(partition.range().offset() + offset, found);
        return bytes.equals(new String(found.array(), StandardCharsets.ISO_8859_1));
    }
}
