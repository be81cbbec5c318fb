package io.afterimage.nbd.server;

import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicLong;

/**
 * The memory for payloads that all connections share. Each connection has an {@link #ALLOWANCE} of its own beside it, so that one
 * that asks for little is served whatever the others do, and without touching what is shared.
 */
final class MemoryBudget {

    /** What a connection may hold without asking: a batch of short replies, or one request of a usual size. */
    static final int ALLOWANCE = 512 << 10;

    private final AtomicLong free;
    private final Queue<Runnable> waiting = new ConcurrentLinkedQueue<>();

    MemoryBudget(long bytes) {
        free = new AtomicLong(bytes);
    }

    /** Whether somebody could go on if another gave memory back. */
    boolean isShort() {
        return !waiting.isEmpty();
    }

    /** What one connection has taken. Belongs to its event loop. */
    final class Share {

        private final Runnable wake;
        private long taken;

        /** A share that runs {@code wake}, on any thread, when it is worth asking again. */
        Share(Runnable wake) {
            this.wake = wake;
        }

        /** Makes sure that {@code bytes} may be held; if not, says no now and wakes the connection later. */
        boolean cover(long bytes) {
            long missing = bytes - ALLOWANCE - taken;
            if (missing <= 0) {
                return true;
            }
            if (!take(missing)) {
                waiting.add(wake);
                // Memory may have come back between the look and the queue: nobody would wake us.
                if (!take(missing)) {
                    return false;
                }
                waiting.remove(wake);
            }
            taken += missing;
            return true;
        }

        /** Gives back what is not needed to hold {@code bytes}. */
        void settle(long bytes) {
            long spare = Math.min(taken, taken - (bytes - ALLOWANCE));
            if (spare > 0) {
                taken -= spare;
                free.addAndGet(spare);
                for (Runnable next = waiting.poll(); next != null; next = waiting.poll()) {
                    next.run();
                }
            }
        }

        boolean isUsed() {
            return taken > 0;
        }

        private boolean take(long bytes) {
            long now = free.get();
            while (now >= bytes) {
                if (free.compareAndSet(now, now - bytes)) {
                    return true;
                }
                now = free.get();
            }
            return false;
        }
    }
}
