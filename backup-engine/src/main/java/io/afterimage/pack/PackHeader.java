package io.afterimage.pack;

import io.afterimage.chunk.ChunkSize;
import io.afterimage.chunk.PackId;
import java.nio.ByteBuffer;

/** The first bytes of a pack, which nobody needs to read it: they tell a person what the object is. */
public final class PackHeader {

    /** Bytes of it that mean something; zeros follow up to the first frame. */
    public static final int LENGTH = PackLayout.HEADER_LENGTH;

    private PackHeader() {}

    /** Throws unless these are the first bytes of that pack. */
    public static void check(PackId pack, ChunkSize chunkSize, ByteBuffer header) throws CorruptPackException {
        if (header.getLong() != PackLayout.HEADER_MAGIC
                || header.getInt() != chunkSize.bytes()
                || header.getInt() != 0
                || !PackId.get(header).equals(pack)) {
            throw new CorruptPackException(pack, "its header is that of another object");
        }
    }
}
