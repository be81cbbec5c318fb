/**
 * Where a disk's partitions lie: {@link io.afterimage.fuse.partition.PartitionTable} reads GPT and MBR from any block device. The bytes come
 * from a guest and are believed in nothing: whatever they say, what comes out are ranges within the device, not too many of them, after
 * a bounded number of reads. It knows neither points nor mounts.
 *
 * <p>Where tables are ambiguous the answer is the Linux kernel's ({@code block/partitions/msdos.c}, {@code efi.c}), since guests are used to it:
 * numbers, the order of logical partitions, what is passed over.
 */
package io.afterimage.fuse.partition;
