package io.afterimage.store.s3;

import java.time.Duration;

/**
 * When a request is given up.
 *
 * @param connect        until a connection stands
 * @param stall          without a byte coming or going
 * @param answer         for the whole request, beside the time that its bytes may take
 * @param bytesPerSecond the slowest transfer that is waited for
 */
record Timeouts(Duration connect, Duration stall, Duration answer, long bytesPerSecond) {

    static final Timeouts DEFAULT = new Timeouts(Duration.ofSeconds(10), Duration.ofSeconds(30), Duration.ofSeconds(60), 64 << 10);

    /** How long a request that moves {@code bytes} may take. */
    Duration whole(long bytes) {
        return answer.plusSeconds(bytes / bytesPerSecond);
    }
}
