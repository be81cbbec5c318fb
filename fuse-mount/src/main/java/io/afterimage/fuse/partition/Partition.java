package io.afterimage.fuse.partition;

import io.afterimage.block.ByteRange;

/**
 * One partition of a disk.
 *
 * @param number as the Linux kernel counts, from 1; logical partitions from 5
 * @param range not empty, and within the disk
 */
public record Partition(int number, ByteRange range) {}
