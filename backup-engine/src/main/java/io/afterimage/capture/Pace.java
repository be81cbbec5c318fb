package io.afterimage.capture;

import java.io.IOException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/**
 * How fast a source may be read: bytes per second, and requests at once. Both can be changed at any time, and hold for whoever waits
 * already. Thread-safe.
 *
 * <p>Bytes are paid for after the event: a request is let through as soon as those before it are paid, however long it is, so
 * that the rate holds over any time longer than the longest request takes at that rate.
 */
public final class Pace {

    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();
    private long bytesPerSecond;
    private int requests;
    private int running;
    /** When all that was let through so far is paid for, by {@link System#nanoTime}. */
    private long paidAt = System.nanoTime();

    /**
     * @param bytesPerSecond 0 for no limit
     * @param requests 0 for no limit
     */
    public Pace(long bytesPerSecond, int requests) {
        set(bytesPerSecond, requests);
    }

    /** Without any limit. */
    public static Pace unlimited() {
        return new Pace(0, 0);
    }

    /** Changes both limits; 0 for none. */
    public void set(long newBytesPerSecond, int newRequests) {
        if (newBytesPerSecond < 0 || newRequests < 0) {
            throw new IllegalArgumentException("A limit is a positive number, or 0 for none: " + newBytesPerSecond + " bytes/s, " + newRequests + " requests.");
        }
        lock.lock();
        try {
            bytesPerSecond = newBytesPerSecond;
            requests = newRequests;
            paidAt = System.nanoTime(); // old debts were made at another rate
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    /** In bytes, 0 for no limit. */
    public long bytesPerSecond() {
        lock.lock();
        try {
            return bytesPerSecond;
        } finally {
            lock.unlock();
        }
    }

    /** What goes at this pace. */
    @FunctionalInterface
    interface Request {
        void run() throws IOException;
    }

    /** Runs a request when it may be run. */
    void run(long bytes, Request request) throws IOException {
        enter(bytes);
        try {
            request.run();
        } finally {
            leave();
        }
    }

    private void enter(long bytes) throws IOException {
        lock.lock();
        try {
            while (true) {
                long now = System.nanoTime();
                long debt = bytesPerSecond == 0 ? 0 : paidAt - now;
                if (requests > 0 && running >= requests) {
                    changed.await();
                } else if (debt > 0) {
                    changed.await(debt, TimeUnit.NANOSECONDS);
                } else {
                    running++;
                    if (bytesPerSecond > 0) {
                        paidAt = now + (long) ((double) bytes / bytesPerSecond * TimeUnit.SECONDS.toNanos(1));
                    }
                    return;
                }
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted while a request waited for its turn", e);
        } finally {
            lock.unlock();
        }
    }

    private void leave() {
        lock.lock();
        try {
            running--;
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }
}
