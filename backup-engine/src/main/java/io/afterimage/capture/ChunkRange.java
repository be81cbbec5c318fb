package io.afterimage.capture;

/**
 * Consecutive chunks of a disk, {@code [first, end)}.
 *
 * @param zeros whether the source knows them to be all zeros, so that they need not be read
 */
record ChunkRange(long first, long end, boolean zeros) {}
