package io.afterimage.pack;

import io.afterimage.chunk.ChunkId;
import io.afterimage.chunk.ChunkSize;
import io.afterimage.chunk.PackId;

/** The constants of the pack format: header, frames, index, trailer. */
final class PackLayout {

    static final long HEADER_MAGIC = 0x41495041434b3031L; // "AIPACK01"
    static final long TRAILER_MAGIC = 0x41495041434b4958L; // "AIPACKIX"
    static final int HEADER_LENGTH = 16 + PackId.LENGTH;
    static final int ENTRY_LENGTH = ChunkId.LENGTH + 1;
    static final int TRAILER_LENGTH = 8 + PackId.LENGTH + 32 + 8;

    /** So that an index is at most 2 MiB, and no reader has to believe in a larger one. */
    static final int MOST_CHUNKS = 64 * 1024;

    private PackLayout() {}

    /** Where the first frame lies. */
    static int firstOffset(ChunkSize chunkSize) {
        return chunkSize.units(HEADER_LENGTH);
    }
}
