package io.afterimage.fetch;

/**
 * What was asked for, and what was fetched from the store.
 *
 * @param demanded chunks that readers have waited for, or wait for now
 * @param underWay chunks that are being fetched or wait for their turn
 * @param requests that brought frames
 * @param backgroundRequests those of them that nobody waited for when they began
 * @param bytes of frames, with what lay between them
 */
public record FetchStatistics(long demanded, long underWay, long requests, long backgroundRequests, long bytes) {}
