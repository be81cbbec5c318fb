package io.afterimage.repository;

import io.afterimage.chunk.ChunkAddress;
import io.afterimage.chunk.ChunkId;
import io.afterimage.chunk.PackId;

/**
 * A chunk lies elsewhere, too, than where manifests say.
 *
 * @param pack the pack that manifests name, which may be gone
 * @param offset of the frame in that pack, in units
 * @param chunk what lay there. A frame of any other chunk is not the one that was moved, wherever it is found
 * @param to where a frame of that chunk lies
 */
public record Move(PackId pack, int offset, ChunkId chunk, ChunkAddress to) {}
