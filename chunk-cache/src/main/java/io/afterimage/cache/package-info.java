/**
 * What has been fetched and verified once, kept for the next who asks: {@link io.afterimage.cache.MemoryTier} holds decoded chunks in
 * direct memory and lends them. Losing any of it costs time and nothing else. Knows neither images nor how
 * a chunk is fetched.
 */
package io.afterimage.cache;
