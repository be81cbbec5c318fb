package io.afterimage.capture.libvirt;

import java.nio.ByteBuffer;

/**
 * A qcow2 image in which nothing is written yet, for what the guest overwrites. libvirt would have QEMU make it within the call that cuts,
 * while the guest may be frozen; so it is made beforehand. The format is that of QEMU's {@code docs/interop/qcow2.txt}: the header,
 * refcounts for the few clusters that there are, and a table of the first level with no entry.
 */
final class ScratchImage {

    private static final int MAGIC = 0x514649fb; // "QFI", 0xfb
    private static final int VERSION = 3;
    private static final int CLUSTER_BITS = 16;
    private static final long CLUSTER = 1L << CLUSTER_BITS;
    private static final int REFCOUNT_ORDER = 4;
    private static final int HEADER_BYTES = 104;
    private static final int SECTOR = 512;

    /** What one entry of the first level stands for: a cluster full of entries of the second. */
    private static final long PER_ENTRY = CLUSTER * (CLUSTER / Long.BYTES);

    /** The clusters: header, refcount table, refcount block, and from here on the table of the first level. */
    private static final int FIRST_LEVEL = 3;

    private final long size;

    /** @param diskSize bytes; QEMU, which has no smaller unit, counts in whole sectors */
    ScratchImage(long diskSize) {
        this.size = Math.ceilDiv(diskSize, SECTOR) * SECTOR;
    }

    private int entries() {
        return Math.toIntExact(Math.max(1, Math.ceilDiv(size, PER_ENTRY)));
    }

    private int clusters() {
        return FIRST_LEVEL + Math.toIntExact(Math.ceilDiv((long) entries() * Long.BYTES, CLUSTER));
    }

    /** How long the file is; behind {@link #head} it has zeros. */
    long length() {
        return clusters() * CLUSTER;
    }

    /** What the file begins with. */
    ByteBuffer head() {
        ByteBuffer head = ByteBuffer.allocate((int) (FIRST_LEVEL * CLUSTER));
        head.putInt(MAGIC).putInt(VERSION);
        head.position(20).putInt(CLUSTER_BITS).putLong(size);
        head.position(36).putInt(entries()).putLong(FIRST_LEVEL * CLUSTER).putLong(CLUSTER).putInt(1);
        head.position(96).putInt(REFCOUNT_ORDER).putInt(HEADER_BYTES);
        head.position((int) CLUSTER).putLong(2 * CLUSTER);
        head.position((int) (2 * CLUSTER));
        for (int i = 0; i < clusters(); i++) {
            head.putShort((short) 1);
        }
        return head.rewind();
    }
}
