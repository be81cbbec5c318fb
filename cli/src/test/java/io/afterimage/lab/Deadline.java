package io.afterimage.lab;

import java.time.Duration;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;

/** A moment until which something is waited for. */
public final class Deadline {
    private static final long PAUSE_NANOS = Duration.ofMillis(10).toNanos();
    private final long at;

    private Deadline(long at) {
        this.at = at;
    }

    public static Deadline in(Duration patience) {
        return new Deadline(System.nanoTime() + patience.toNanos());
    }

    /** The time left, zero when it is over. */
    public Duration left() {
        return Duration.ofNanos(Math.max(0, at - System.nanoTime()));
    }

    /** Returns as soon as the condition holds; fails with the explanation when it does not in time. */
    public void await(BooleanSupplier condition, Supplier<String> explanation) {
        while (!condition.getAsBoolean()) {
            if (left().isZero() || Thread.currentThread().isInterrupted()) {
                throw new IllegalStateException("waited in vain: " + explanation.get());
            }
            LockSupport.parkNanos(PAUSE_NANOS);
        }
    }
}
