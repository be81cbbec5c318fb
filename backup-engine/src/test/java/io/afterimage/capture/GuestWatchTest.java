package io.afterimage.capture;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(value = 60, unit = TimeUnit.SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class GuestWatchTest {

    private static final Yielding YIELDING = new Yielding(1.5, 1);

    private final Pace pace = Pace.unlimited();
    private final AtomicInteger looks = new AtomicInteger();
    private final CompletableFuture<Long> atTheThird = new CompletableFuture<>();

    /** What is decided by the first two looks holds at the third. */
    private GuestLoad busy() {
        int look = looks.incrementAndGet();
        if (look == 3) {
            atTheThird.complete(pace.bytesPerSecond());
        }
        return new GuestLoad(0, 0, 1_000_000L * look, 1_000_000_000L * look);
    }

    @Test
    void thePaceFollowsAGuestUntilItIsLeftAlone() throws Exception {
        try (GuestWatch _ = GuestWatch.start(List.of(this::busy), pace, YIELDING)) {
            assertEquals(1, atTheThird.get());
        }
        assertEquals(0, pace.bytesPerSecond());
    }

    @Test
    void whoeverIsNotYieldedToIsNotLookedAt() throws IOException {
        try (GuestWatch _ = GuestWatch.start(List.of(this::busy), pace, Yielding.NOT)) {
            pace.run(1, () -> {});
        }
        assertEquals(0, looks.get());
    }

    /** At a byte a second the second request would wait for decades. */
    @Test
    void aGuestThatCannotBeLookedAtLimitsNothing() throws Exception {
        GuestLoad.Meter failing = () -> {
            if (looks.get() == 2) {
                pace.run(1 << 30, () -> {});
                busy();
                throw new IOException("it has gone");
            }
            return busy();
        };
        try (GuestWatch _ = GuestWatch.start(List.of(failing), pace, YIELDING)) {
            assertEquals(1, atTheThird.get());
            pace.run(1, () -> {});
            assertEquals(0, pace.bytesPerSecond());
        }
    }

    @Test
    void ofSeveralTheOneThatBearsLeastCounts() throws Exception {
        GuestLoad.Meter idle = () -> new GuestLoad(0, 0, 0, 0);
        GuestLoad.Meter gone = () -> {
            throw new IOException("it has gone");
        };
        try (GuestWatch _ = GuestWatch.start(List.of(idle, gone, this::busy, idle), pace, YIELDING)) {
            assertEquals(1, atTheThird.get());
        }
    }
}
