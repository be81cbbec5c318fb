package io.afterimage.image;

import io.afterimage.cache.DiskStatistics;
import io.afterimage.cache.MemoryStatistics;
import io.afterimage.fetch.FetchStatistics;

/**
 * What the images of a library have read, and from where.
 *
 * @param hits chunks of reads that were in memory, or zeros
 * @param misses chunks of reads that were not
 */
public record ReadStatistics(long hits, long misses, MemoryStatistics memory, DiskStatistics disk, FetchStatistics fetched) {}
