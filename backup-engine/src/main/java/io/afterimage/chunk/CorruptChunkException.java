package io.afterimage.chunk;

import java.io.IOException;

/** What lies at a chunk's address is not that chunk. No byte of it has been handed out. */
public final class CorruptChunkException extends IOException {

    private static final long serialVersionUID = 1;

    private final transient ChunkAddress address;

    public CorruptChunkException(ChunkAddress address, String finding) {
        super("chunk " + address + " is damaged: " + finding);
        this.address = address;
    }

    public ChunkAddress address() {
        return address;
    }
}
