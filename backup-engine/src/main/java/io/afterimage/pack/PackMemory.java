package io.afterimage.pack;

import java.io.Closeable;
import java.lang.foreign.Arena;
import java.nio.ByteBuffer;
import java.util.concurrent.ConcurrentLinkedDeque;
import java.util.function.IntFunction;

/**
 * Memory that one pack after the other is gathered in. It lies outside the heap and begins where a page does, so that a store can hand it to the kernel as it is, and it is not
 * given up between two packs, since the kernel takes as long to make new memory as to write it away. Thread-safe.
 */
public final class PackMemory implements IntFunction<ByteBuffer>, Closeable {

    private static final int PAGE = 4096;

    /** The sizes of buffers: most backups are small, and many packs are a backup's only one. The largest holds a full pack of the usual chunk size. */
    private static final int SMALL = 256 * 1024;

    private static final int MEDIUM = 2 * 1024 * 1024;
    private static final int LARGE = PackBuilder.TARGET_LENGTH + 5 * 512 * 1024;

    private final Arena arena = Arena.ofShared();
    private final ConcurrentLinkedDeque<ByteBuffer> idle = new ConcurrentLinkedDeque<>();
    /** Whether a pack has been large: then those to come are. */
    private volatile boolean large;

    /** An empty buffer of at least that capacity; what is in it is of no meaning. */
    @Override
    public ByteBuffer apply(int capacity) {
        ByteBuffer used = idle.poll();
        if (used != null && used.capacity() >= capacity) {
            return used.clear();
        }
        large |= capacity > MEDIUM;
        int size = large ? Math.max(capacity, LARGE) : capacity > SMALL ? MEDIUM : SMALL;
        return arena.allocate(size, PAGE).asByteBuffer();
    }

    /** Takes back a buffer that is not used any more. */
    public void giveBack(ByteBuffer buffer) {
        if (buffer.capacity() >= LARGE) {
            idle.push(buffer);
        }
    }

    /** Gives up all buffers: nobody may use one any more. */
    @Override
    public void close() {
        arena.close();
    }
}
