package io.afterimage.store.s3;

import java.util.concurrent.TimeUnit;

/** A way that carries so many bytes a second, which all that goes over it shares. Thread-safe. */
final class Link {

    /** What is not used of it for longer than this is lost; less is made up for, so that a thread that wakes late costs nothing. */
    private static final long SLACK = 2_000_000;

    private final double nanosPerByte;
    private long free = System.nanoTime();

    private Link(double nanosPerByte) {
        this.nanosPerByte = nanosPerByte;
    }

    static Link unbounded() {
        return new Link(0);
    }

    static Link of(long bytesPerSecond) {
        return new Link(1e9 / bytesPerSecond);
    }

    /** Returns when these bytes have gone over it. */
    void carry(int bytes) throws InterruptedException {
        long until;
        synchronized (this) {
            free = Math.max(free, System.nanoTime() - SLACK) + (long) (bytes * nanosPerByte);
            until = free;
        }
        if (nanosPerByte > 0) {
            TimeUnit.NANOSECONDS.sleep(until - System.nanoTime());
        }
    }
}
