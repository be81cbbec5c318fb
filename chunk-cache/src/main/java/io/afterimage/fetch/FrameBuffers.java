package io.afterimage.fetch;

import io.afterimage.repository.FrameRun;
import java.lang.ref.SoftReference;
import java.util.ArrayDeque;
import java.util.Deque;

/**
 * Room for what large requests bring, used again and again: each piece made anew would be to the collector an object too large to be moved, and to the kernel memory that
 * nobody has touched yet. What lies idle is given up when the heap is wanted for something else. Thread-safe.
 */
final class FrameBuffers {

    /** What is not longer is made anew: half of a buffer at most lies idle in use. */
    private static final int LEAST_KEPT = FrameRun.LONGEST / 2;

    private final int most;
    private final Deque<SoftReference<byte[]>> idle = new ArrayDeque<>();

    /** @param bytes that lie idle at most */
    FrameBuffers(long bytes) {
        most = (int) Math.min(Integer.MAX_VALUE, bytes / FrameRun.LONGEST);
    }

    /** How many bytes are taken up for {@code length} of them. */
    static int room(int length) {
        return length > LEAST_KEPT && length < FrameRun.LONGEST ? FrameRun.LONGEST : length;
    }

    /** {@link #room} for so many bytes, with anything in it. */
    byte[] take(int length) {
        byte[] kept = room(length) == FrameRun.LONGEST ? takeIdle() : null;
        return kept != null ? kept : new byte[room(length)];
    }

    private synchronized byte[] takeIdle() {
        byte[] buffer = null;
        while (buffer == null && !idle.isEmpty()) {
            buffer = idle.pop().get();
        }
        return buffer;
    }

    /** Whoever gives it back has no use for it any more, and nobody else has. */
    synchronized void giveBack(byte[] buffer) {
        if (buffer.length == FrameRun.LONGEST && idle.size() < most) {
            idle.push(new SoftReference<>(buffer));
        }
    }
}
