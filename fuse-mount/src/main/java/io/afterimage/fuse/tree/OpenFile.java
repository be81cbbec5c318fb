package io.afterimage.fuse.tree;

import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;

/** A file that is open. Thread-safe, but nobody reads any more when it is closed. */
public interface OpenFile extends Closeable {

    /**
     * Reads into {@code target} up to its limit or the file's end, whichever comes first, and moves its position there.
     *
     * @param offset at least 0; beyond the end there is nothing
     */
    void read(long offset, ByteBuffer target) throws IOException;
}
