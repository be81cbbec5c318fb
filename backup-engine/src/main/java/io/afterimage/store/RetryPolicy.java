package io.afterimage.store;

import java.time.Duration;
import java.util.random.RandomGenerator;

/**
 * How long to wait between attempts, and when to give up. The n-th pause is a random length between half of and the full
 * {@code firstPause * 2^(n-1)}, cut at {@code longestPause}: hosts that failed together do not come back together.
 *
 * @param timeLimit no attempt begins later than this after the first one began
 */
public record RetryPolicy(Duration firstPause, Duration longestPause, Duration timeLimit) {

    /** Rides out a store's restart or a short loss of the network: up to two minutes. */
    public static final RetryPolicy DEFAULT = new RetryPolicy(Duration.ofMillis(100), Duration.ofSeconds(10), Duration.ofMinutes(2));

    public RetryPolicy {
        if (!firstPause.isPositive() || longestPause.compareTo(firstPause) < 0 || timeLimit.isNegative()) {
            throw new IllegalArgumentException("not a retry policy: " + firstPause + ", " + longestPause + ", " + timeLimit);
        }
    }

    /** The pause after {@code failures} attempts have failed, at least 1. */
    Duration pause(int failures, RandomGenerator random) {
        long longest = longestPause.toNanos();
        int doublings = Math.min(failures - 1, Long.numberOfLeadingZeros(firstPause.toNanos()) - 1);
        long full = Math.min(longest, firstPause.toNanos() << doublings);
        return Duration.ofNanos(full - random.nextLong(full / 2 + 1));
    }
}
