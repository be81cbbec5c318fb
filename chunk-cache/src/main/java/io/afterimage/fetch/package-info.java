/**
 * Chunks out of the store: neighbours in a pack come in one request, and one flight serves all who wait for a chunk. Everything that leaves here has been
 * verified.
 *
 * <p>{@link io.afterimage.fetch.ChunkFetcher} is shared by all images of a repository; each has a {@link io.afterimage.fetch.Lane} of its own, among which turns
 * are taken. What a reader waits for goes first, then what {@link io.afterimage.fetch.ReadAhead} guesses, then hints. Knows chunks and their places, not
 * points, maps or disks.
 */
package io.afterimage.fetch;
