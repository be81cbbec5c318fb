package io.afterimage.capture;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

/** By numbers as QEMU 11.1 told them of a guest that makes 100 writes a second: 0.2 ms each, 0.3 ms once its disk is cut, and 0.7 ms while it is read as fast as can be. */
class YieldingRateTest {

    private static final long MIB = 1L << 20;
    private static final long LEAST = 8 * MIB;
    private static final GuestLoad IDLE = new GuestLoad(0, 0, 0, 0);

    private final YieldingRate rate = new YieldingRate(new Yielding(1.5, LEAST));

    private static GuestLoad writes(double millis) {
        return new GuestLoad(0, 0, 50, (long) (50 * millis * 1e6));
    }

    /** Half a second at the rate that was allowed, or at what can be done at most. */
    private long half(GuestLoad load, long allowed) {
        long possible = 300 * MIB;
        return rate.next(load, 0.5, (allowed == YieldingRate.UNLIMITED ? possible : Math.min(possible, allowed)) / 2);
    }

    @Test
    void anIdleGuestLimitsNothing() {
        for (int i = 0; i < 10; i++) {
            assertEquals(YieldingRate.UNLIMITED, half(IDLE, YieldingRate.UNLIMITED));
        }
        // Now and then a line in a log.
        assertEquals(YieldingRate.UNLIMITED, half(new GuestLoad(0, 0, 4, 40_000_000), YieldingRate.UNLIMITED));
    }

    @Test
    void whatAGuestIsLikeIsSeenAtTheLeastRate() {
        assertEquals(LEAST, half(writes(0.7), YieldingRate.UNLIMITED), "nothing is known yet");
        assertTrue(half(writes(0.3), LEAST) > LEAST, "it is at its usual");
    }

    @Test
    void theRateRisesUntilItIsFelt() {
        half(writes(0.7), YieldingRate.UNLIMITED);
        long allowed = half(writes(0.3), LEAST);
        for (int i = 0; i < 60; i++) {
            allowed = half(writes(0.35), allowed);
        }
        assertTrue(allowed >= 300 * MIB, allowed + " bytes/s");
        assertTrue(allowed <= 600 * MIB, "not far beyond what can be done: " + allowed);
        long next = half(writes(0.7), allowed);
        assertEquals(150 * MIB, next, "half of what was done");
        assertEquals(75 * MIB, half(writes(0.7), next));
    }

    @Test
    void neverBelowTheLeastRate() {
        half(writes(0.7), YieldingRate.UNLIMITED);
        long allowed = half(writes(0.3), LEAST);
        for (double millis = 1; millis < 100; millis *= 2) {
            allowed = half(writes(millis), allowed);
            assertTrue(allowed >= LEAST, allowed + " bytes/s at " + millis + " ms");
        }
    }

    /** Something else slows the guest down: a backup that waited for it to become as it was would go on for ever at the least rate. */
    @Test
    void aGuestThatStaysSlowIsWhatItIsComparedWith() {
        half(writes(0.7), YieldingRate.UNLIMITED);
        long allowed = half(writes(0.3), LEAST);
        int halves = 0;
        do {
            allowed = half(writes(3), allowed);
            assertTrue(++halves < 20, "still at " + allowed);
        } while (allowed <= LEAST || halves < 3);
        assertTrue(half(writes(3), allowed) > allowed);
    }

    /** Or else what made the guest slow once would be its usual for ever. */
    @Test
    void aGuestThatBecomesQuickIsWhatItIsComparedWith() {
        half(writes(3), YieldingRate.UNLIMITED);
        long allowed = half(writes(3), LEAST);
        for (int i = 0; i < 40; i++) {
            allowed = half(writes(0.3), allowed);
        }
        assertTrue(half(writes(0.7), allowed) < allowed);
    }

    @Test
    void readsCountLikeWrites() {
        GuestLoad quick = new GuestLoad(500, 50_000_000, 50, 15_000_000);
        GuestLoad slowReads = new GuestLoad(500, 100_000_000, 50, 15_000_000);
        half(quick, YieldingRate.UNLIMITED);
        long allowed = half(quick, half(quick, LEAST));
        assertTrue(allowed > LEAST);
        assertTrue(half(slowReads, allowed) < allowed);
    }

    private static GuestLoad waits(double millisPerSecond) {
        return writes(0.3).plus(new GuestLoad(0, 0, 0, 0, (long) (millisPerSecond / 2 * 1e6)));
    }

    /** QEMU counts what its disks take, and not what its threads waited before. */
    @Test
    void waitingForAProcessorIsFelt() {
        half(waits(150), YieldingRate.UNLIMITED);
        long allowed = half(waits(55), LEAST);
        for (int i = 0; i < 10; i++) {
            allowed = half(waits(60), allowed);
        }
        assertTrue(allowed > 2 * LEAST, allowed + " bytes/s");
        assertEquals(allowed / 2, half(waits(90), allowed));
    }

    /** Where hardly anything waits, twice as much is hardly anything, too. */
    @Test
    void aHostWithRoomIsUsed() {
        half(waits(1), YieldingRate.UNLIMITED);
        long allowed = half(waits(1), LEAST);
        assertTrue(half(waits(15), allowed) > allowed);
    }

    /** Whether a guest that has been idle feels it is seen when it is not any more. */
    @Test
    void whatIsKnownIsKeptWhileTheGuestIsIdle() {
        half(writes(0.7), YieldingRate.UNLIMITED);
        half(writes(0.3), LEAST);
        assertEquals(YieldingRate.UNLIMITED, half(IDLE, LEAST));
        assertEquals(YieldingRate.UNLIMITED, half(writes(0.4), YieldingRate.UNLIMITED), "it does not feel it");
        assertEquals(150 * MIB, half(writes(0.7), YieldingRate.UNLIMITED));
    }

    @Test
    void aDiskThatIsGoneTakesItsCountsWithIt() {
        GuestLoad before = new GuestLoad(10, 1000, 20, 2000);
        assertEquals(new GuestLoad(0, 0, 5, 500), new GuestLoad(3, 300, 25, 2500).since(before));
        assertEquals(new GuestLoad(0, 0, 0, 0, 7), new GuestLoad(10, 1000, 20, 2000, 7).since(before));
        assertEquals(IDLE, before.since(new GuestLoad(10, 1000, 20, 2000, 7)));
    }

    @Test
    void whatMakesNoSenseIsRefused() {
        assertThrows(IllegalArgumentException.class, () -> new Yielding(1, LEAST));
        assertThrows(IllegalArgumentException.class, () -> new Yielding(Double.NaN, LEAST));
        assertThrows(IllegalArgumentException.class, () -> new Yielding(1.5, 0));
        assertTrue(Yielding.NOT.rate().isEmpty());
    }
}
