package io.afterimage.fetch;

import io.afterimage.chunk.ChunkAddress;
import java.nio.ByteBuffer;
import java.util.function.Consumer;

/**
 * A chunk that a reader needs.
 *
 * @param taker is given the chunk when it has come, by any thread, before {@link Lane#read} returns: a view of the whole chunk for the time of the call
 */
public record Want(ChunkAddress address, Consumer<ByteBuffer> taker) {}
