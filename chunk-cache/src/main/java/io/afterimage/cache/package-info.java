/**
 * What has been fetched and verified once, kept for the next who asks: {@link io.afterimage.cache.MemoryTier} holds decoded chunks in
 * direct memory and lends them, {@link io.afterimage.cache.DiskTier} holds encoded frames in files that all processes of a host share. Losing any of it costs time and nothing else.
 * Knows neither images nor how a chunk is fetched.
 */
package io.afterimage.cache;
