package io.afterimage.overlay;

import io.afterimage.block.DeviceFullException;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;

/**
 * Lets many who want a flush share one: whoever comes while one runs waits for the next, which serves all who have come by then. Thread-safe.
 */
final class FlushQueue {

    /** A flush of all that was done before it began. One runs at a time. */
    @FunctionalInterface
    interface Flush {
        void run() throws IOException;
    }

    private final Flush flush;
    /** The last that has begun. */
    private CompletableFuture<Void> running = CompletableFuture.completedFuture(null);
    /** The one that will begin when that is over; null if nobody wants it. */
    private CompletableFuture<Void> next;

    FlushQueue(Flush flush) {
        this.flush = flush;
    }

    /** Returns when a flush that began after this call has ended well; throws if it failed. */
    void await() throws IOException {
        CompletableFuture<Void> mine;
        CompletableFuture<Void> before = null;
        synchronized (this) {
            if (next == null) {
                next = new CompletableFuture<>();
                before = running;
            }
            mine = next;
        }
        if (before != null) {
            lead(before, mine);
        }
        outcome(mine);
    }

    private void lead(CompletableFuture<Void> before, CompletableFuture<Void> mine) {
        // Whatever interrupts this thread must not keep those from their flush who rely on it.
        before.handle((_, _) -> null).join();
        synchronized (this) {
            running = mine;
            next = null;
        }
        try {
            flush.run();
            mine.complete(null);
        } catch (IOException | RuntimeException | Error e) {
            mine.completeExceptionally(e);
        }
    }

    private static void outcome(CompletableFuture<Void> flush) throws IOException {
        try {
            flush.get();
        } catch (ExecutionException e) {
            switch (e.getCause()) {
                case DeviceFullException full ->
                    throw new DeviceFullException(full.getMessage(), full);
                default -> throw new IOException(e.getCause().getMessage(), e.getCause());
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new InterruptedIOException("interrupted while changes were made durable");
        }
    }
}
