package io.afterimage.cache;

/**
 * What a {@link MemoryTier} holds and has seen.
 *
 * @param capacity bytes that it may hold
 * @param bytes that it holds
 * @param lent chunks that are lent now
 * @param evicted chunks that had to go after they had been read
 * @param guessesUsed chunks fetched on a guess that were read then
 * @param guessesWasted those that had to go unread
 */
public record MemoryStatistics(long capacity, long bytes, int lent, long evicted, long guessesUsed, long guessesWasted) {}
