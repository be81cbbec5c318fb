package io.afterimage.guestfs;

import io.afterimage.block.ByteRange;
import java.util.Optional;

/**
 * A place for a file system.
 *
 * @param name what the user calls it: {@code vda.p1}, {@code group/volume}, {@code md127}, or the disk's own name
 * @param kind what it is
 * @param device what the appliance calls it
 * @param content what is on it, as {@code blkid} says: {@code ext4}, {@code LVM2_member}; empty if that is not known
 * @param mountable whether that is a file system
 * @param label its label
 * @param uuid its UUID
 * @param size in bytes
 * @param place where it lies if it is one range of one disk
 */
public record Volume(
        String name,
        Kind kind,
        String device,
        Optional<String> content,
        boolean mountable,
        Optional<String> label,
        Optional<String> uuid,
        long size,
        Optional<Place> place) {

    /** What a volume is. */
    public enum Kind {
        DISK,
        PARTITION,
        LOGICAL_VOLUME,
        RAID
    }

    /** Bytes of a disk. */
    public record Place(String disk, ByteRange range) {}
}
