package io.afterimage.capture;

import java.io.IOException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.LockSupport;
import java.util.concurrent.locks.ReentrantLock;

/**
 * How fast a source may be read: bytes per second, and requests at once. Both can be changed at any time, and hold for whoever waits
 * already. Beside the rate that was asked for there may be one by which somebody is yielded to; the lesser holds. While it is in force, whoever computes rests
 * again and again. Thread-safe.
 *
 * <p>Bytes are paid for after the event: a request is let through as soon as those before it are paid, however long it is, so
 * that the rate holds over any time longer than the longest request takes at that rate.
 */
public final class Pace {

    /** Less than a guest's thread would notice, and more than it takes the kernel to give one its turn. */
    private static final long REST = TimeUnit.MICROSECONDS.toNanos(100);

    private static final int PIECES_PER_SECOND = 125;

    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();
    private long asked;
    private volatile long yielded;
    private int requests;
    private long moved;
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
            requests = newRequests;
            changeRate(newBytesPerSecond, yielded);
        } finally {
            lock.unlock();
        }
    }

    /** Has no more than so many bytes per second go, whatever was asked for; 0 for no such limit. */
    void yieldTo(long newBytesPerSecond) {
        lock.lock();
        try {
            changeRate(asked, newBytesPerSecond);
        } finally {
            lock.unlock();
        }
    }

    private void changeRate(long newlyAsked, long newlyYielded) {
        long before = rate();
        asked = newlyAsked;
        yielded = newlyYielded;
        long now = System.nanoTime();
        // What is owed are bytes: at another rate they take another time.
        double debt = rate() == 0 ? 0 : (double) Math.max(0, paidAt - now) * before / rate();
        paidAt = now + (long) debt;
        changed.signalAll();
    }

    private long rate() {
        return YieldingRate.lower(asked, yielded);
    }

    /**
     * Lets go of the processor for a moment if somebody is yielded to: to be called between pieces of work of less than a millisecond. Threads that have had more than their share
     * of late wait for one that computes, nice as it may be, until it sleeps.
     */
    void rest() {
        if (yielded != 0) {
            LockSupport.parkNanos(REST);
        }
    }

    /**
     * The bytes that one request should have: at most so many, and while somebody is yielded to no more than go in 8 ms then. What is large comes in bursts, behind
     * which a guest's requests wait.
     */
    int piece(int most) {
        long rate = yielded;
        return rate == 0 ? most : (int) Math.min(most, rate / PIECES_PER_SECOND);
    }

    /** The rate that holds, in bytes, 0 for no limit. */
    public long bytesPerSecond() {
        lock.lock();
        try {
            return rate();
        } finally {
            lock.unlock();
        }
    }

    /** The bytes of all requests that have been let through. */
    long moved() {
        lock.lock();
        try {
            return moved;
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
        run(bytes, bytes, request);
    }

    /** The same of bytes whose sender keeps to the rate by itself. */
    void runUncharged(long bytes, Request request) throws IOException {
        run(bytes, 0, request);
    }

    private void run(long bytes, long charged, Request request) throws IOException {
        enter(bytes, charged);
        try {
            request.run();
        } finally {
            leave();
        }
    }

    private void enter(long bytes, long charged) throws IOException {
        lock.lock();
        try {
            while (true) {
                long now = System.nanoTime();
                long debt = rate() == 0 ? 0 : paidAt - now;
                if (requests > 0 && running >= requests) {
                    changed.await();
                } else if (debt > 0) {
                    changed.await(debt, TimeUnit.NANOSECONDS);
                } else {
                    running++;
                    moved += bytes;
                    if (rate() > 0) {
                        paidAt = now + (long) ((double) charged / rate() * TimeUnit.SECONDS.toNanos(1));
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
