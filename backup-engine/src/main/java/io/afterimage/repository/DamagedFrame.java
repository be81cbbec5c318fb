package io.afterimage.repository;

import io.afterimage.chunk.ChunkAddress;
import io.afterimage.chunk.ChunkId;
import java.util.Optional;

/**
 * A frame in a pack that was found damaged.
 *
 * @param address as manifests name it
 * @param chunk what it held, if anything is left that tells: the pack's index, or the frame's own header
 * @param readable whether the frame itself is whole, so that what it holds can be carried elsewhere
 */
public record DamagedFrame(ChunkAddress address, Optional<ChunkId> chunk, boolean readable) {}
