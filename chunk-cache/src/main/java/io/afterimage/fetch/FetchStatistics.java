package io.afterimage.fetch;

/**
 * What was fetched from the store.
 *
 * @param requests that brought frames
 * @param backgroundRequests those of them that nobody waited for when they began
 * @param bytes of frames, with what lay between them
 */
public record FetchStatistics(long requests, long backgroundRequests, long bytes) {}
