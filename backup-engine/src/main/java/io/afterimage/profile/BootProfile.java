package io.afterimage.profile;

import io.afterimage.manifest.PointId;
import java.time.Instant;
import java.util.List;

/**
 * The ranges of a disk that a boot read, in the order in which it first touched them. Chunk sizes do not show in it, so that it fits every repository.
 *
 * @param point whose disk was read
 * @param recorded when the boot began, to the millisecond
 * @param proven whether it was a boot without doubt: one that the user asked for, or one with a firmware's reads in the beginning
 * @param reads what was read; lies within no certain disk
 */
public record BootProfile(PointId point, Instant recorded, boolean proven, List<Read> reads) {

    /** Bytes to which ranges are rounded outward: the smallest chunk there is. */
    public static final int BLOCK = 4096;

    /** More are not recorded, and not taken in. */
    public static final int MOST_READS = 32_768;

    /** Of all reads together; more are not recorded, and not taken in. */
    public static final long MOST_BYTES = 512L << 20;

    /** No disk has more bytes. */
    static final long LARGEST_DISK = 1L << 62;

    public BootProfile {
        reads = List.copyOf(reads);
        if (reads.size() > MOST_READS) {
            throw new IllegalArgumentException("it has " + reads.size() + " reads");
        }
        long bytes = 0;
        int before = 0;
        for (Read read : reads) {
            bytes += read.length();
            if (bytes > MOST_BYTES) {
                throw new IllegalArgumentException("it has more bytes than are ever recorded");
            }
            if (read.millis() < before) {
                throw new IllegalArgumentException("its reads are not in the order of time");
            }
            before = read.millis();
        }
    }

    /**
     * One range, read at once or piece by piece.
     *
     * @param offset a multiple of {@link #BLOCK}, at least 0
     * @param length a multiple of {@link #BLOCK}, more than 0
     * @param millis from the boot's first read to the first one of this range
     */
    public record Read(long offset, long length, int millis) {

        public Read {
            boolean lies = offset >= 0 && length > 0 && length <= MOST_BYTES && offset <= LARGEST_DISK - length;
            if (!lies || offset % BLOCK != 0 || length % BLOCK != 0 || millis < 0) {
                throw new IllegalArgumentException("it has no read of " + length + " bytes at " + offset + " after " + millis + " ms");
            }
        }

        /** The first byte behind the range. */
        public long end() {
            return offset + length;
        }
    }

    /** The bytes of all reads together. */
    public long bytes() {
        return reads.stream().mapToLong(Read::length).sum();
    }

    /** From the first read to the last. */
    public int millis() {
        return reads.isEmpty() ? 0 : reads.getLast().millis();
    }
}
