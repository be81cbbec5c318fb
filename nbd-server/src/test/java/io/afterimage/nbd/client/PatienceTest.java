package io.afterimage.nbd.client;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

final class PatienceTest {

    private final AtomicLong seconds = new AtomicLong();
    private final Patience patience = new Patience(Duration.ofSeconds(5), () -> TimeUnit.SECONDS.toNanos(seconds.get()));

    @Test
    void endsWhenTheTimeIsOver() {
        for (int waited = 0; waited < 5; waited++) {
            assertEquals(TimeUnit.SECONDS.toNanos(1), patience.untilNextLook());
            seconds.incrementAndGet();
        }
        assertTrue(patience.untilNextLook() <= 0);
    }

    @Test
    void countsNoTimeInWhichNobodyCouldLook() {
        patience.untilNextLook();
        seconds.addAndGet(3600);
        assertTrue(patience.untilNextLook() > 0);
    }

    @Test
    void knowsWhenNobodyCouldLook() {
        patience.untilNextLook();
        seconds.incrementAndGet();
        assertFalse(patience.stoodStill());
        seconds.addAndGet(10);
        assertTrue(patience.stoodStill());
        patience.untilNextLook();
        assertTrue(patience.stoodStill());
    }
}
