package io.afterimage.nbd.client;

import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;

/**
 * How long a server may leave us waiting. While this process stands still, stopped by a signal or with no processor to be had, it cannot see an answer that has
 * come; so of the time between two looks no more counts than a waiter who looks again in time would have waited. Whoever waits therefore
 * waits for {@link #untilNextLook} at most, and looks. Not thread-safe.
 */
final class Patience {

    private static final long LOOK_AGAIN = TimeUnit.SECONDS.toNanos(1);

    /** No waiter is late by as much on a machine that is only busy. */
    private static final long LATE = 2 * LOOK_AGAIN;

    private final LongSupplier clock;
    private long left;
    private long looked;
    private boolean late;

    Patience(Duration time) {
        this(time, System::nanoTime);
    }

    /** @param clock as {@link System#nanoTime} */
    Patience(Duration time, LongSupplier clock) {
        this.clock = clock;
        this.left = time.toNanos();
        this.looked = clock.getAsLong();
    }

    /** A wait for something that may come. */
    @FunctionalInterface
    interface Wait<E extends Exception> {

        /** Whether it came within so many nanoseconds. */
        boolean within(long nanos) throws E;
    }

    /** Waits, and looks again in time; whether it came while there was patience. */
    <E extends Exception> boolean await(Wait<E> coming) throws E {
        for (long wait = untilNextLook(); wait > 0; wait = untilNextLook()) {
            if (coming.within(wait)) {
                return true;
            }
        }
        return false;
    }

    /** The nanoseconds after which to look again for what has come; 0 or less when the time is over. */
    long untilNextLook() {
        long now = clock.getAsLong();
        late |= now - looked > LATE;
        left -= Math.min(now - looked, LOOK_AGAIN);
        looked = now;
        return Math.min(left, LOOK_AGAIN);
    }

    /** Whether this process stood still meanwhile, for so long that the other end may have lost its own patience. */
    boolean stoodStill() {
        return late || clock.getAsLong() - looked > LATE;
    }
}
