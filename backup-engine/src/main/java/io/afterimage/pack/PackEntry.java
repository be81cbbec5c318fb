package io.afterimage.pack;

import io.afterimage.chunk.ChunkAddress;
import io.afterimage.chunk.ChunkId;

/** One chunk of a pack: what it is and where it lies. */
public record PackEntry(ChunkId id, ChunkAddress address) {}
