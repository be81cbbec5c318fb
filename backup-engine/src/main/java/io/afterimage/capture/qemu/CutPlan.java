package io.afterimage.capture.qemu;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * What a cut is to do.
 *
 * @param checkpoint the new point's; its bitmap starts on every disk
 * @param disks at least one
 * @param scratch the folder under which the cut makes a private one; what the guest overwrites is kept there, so in the worst
 *     case it takes as much as the disks. Best not on the file system that holds the disks
 * @param scratchReserve bytes: when less is left free there, the backup is given up, before a full scratch would stop the guest
 * @param granularity bytes per bit of the bitmaps, a power of two from 512 on; best the repository's chunk size
 */
public record CutPlan(Checkpoint checkpoint, List<Disk> disks, Path scratch, long scratchReserve, long granularity) {

    /** Time to react, at the speed of a quick disk: the free space is looked at four times a second. */
    public static final long DEFAULT_RESERVE = 256L << 20;

    public static final long DEFAULT_GRANULARITY = 64 << 10;

    public CutPlan {
        disks = List.copyOf(disks);
        scratch = scratch.toAbsolutePath().normalize();
        if (disks.isEmpty()) {
            throw new IllegalArgumentException("a cut without disks");
        }
        if (granularity < 512 || Long.bitCount(granularity) != 1) {
            throw new IllegalArgumentException("not a power of two from 512 on: " + granularity);
        }
    }

    /** A plan with the default reserve and granularity. */
    public CutPlan(Checkpoint checkpoint, List<Disk> disks, Path scratch) {
        this(checkpoint, disks, scratch, DEFAULT_RESERVE, DEFAULT_GRANULARITY);
    }

    /** A disk, and the point that its changes are wanted since; empty for all of it. */
    public record Disk(QemuDisk disk, Optional<Base> base) {}

    /**
     * The earlier point that a disk's new map is built upon.
     *
     * @param disk what the disk is called in that point
     * @param diskSize the disk's size in that point, in bytes: QEMU does not mark the area by which a disk grew
     * @param layersAbove how many images of the disk's backing chain, its own first, are above the one that the point shows; 0 when none
     *     does, as far as is known, and only a checkpoint tells what has changed
     * @param libvirtImage the file, or what else stands for it, of the image that the disk was in then, if the point was made by libvirt: a
     *     checkpoint of libvirt's does not say which disk its bitmaps are of
     */
    public record Base(String pointId, String disk, long diskSize, int layersAbove, Optional<String> libvirtImage) {

        /** A point of the disk itself, made over QMP. */
        public Base(String pointId, String disk, long diskSize) {
            this(pointId, disk, diskSize, 0, Optional.empty());
        }
    }
}
