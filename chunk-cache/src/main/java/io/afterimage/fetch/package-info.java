/**
 * Chunks out of the store: neighbours in a pack come in one request, and one request serves all who wait for a chunk.
 * Everything that leaves here has been verified.
 */
package io.afterimage.fetch;
