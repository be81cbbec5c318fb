package io.afterimage.cache;

/**
 * What a {@link DiskTier} holds and has seen.
 *
 * @param limit bytes that all processes of this host may keep in the folder
 * @param bytes that they keep there, as of the last look
 * @param hits frames that were read from it
 * @param damaged frames that were there and could not be used
 * @param stored frames that were written
 * @param dropped frames that were not written, since the disk was slower than the store, or could not be written to
 */
public record DiskStatistics(long limit, long bytes, long hits, long damaged, long stored, long dropped) {

    public static final DiskStatistics NONE = new DiskStatistics(0, 0, 0, 0, 0, 0);
}
