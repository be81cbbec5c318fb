package io.afterimage.capture;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.util.Collections;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

class PaceTest {

    private static final int PATIENCE_SECONDS = 60;

    @Test
    void noMoreRequestsAtOnceThanAllowed() throws Exception {
        Pace pace = new Pace(0, 2);
        AtomicInteger running = new AtomicInteger();
        AtomicInteger most = new AtomicInteger();
        try (ExecutorService threads = Executors.newFixedThreadPool(8)) {
            Callable<Void> request = () -> {
                pace.run(1, () -> {
                    most.accumulateAndGet(running.incrementAndGet(), Math::max);
                    running.decrementAndGet();
                });
                return null;
            };
            for (Future<Void> done : threads.invokeAll(Collections.nCopies(500, request))) {
                done.get();
            }
        }
        assertTrue(most.get() <= 2, most + " at once");
        assertEquals(0, running.get());
    }

    private static void assertWaitsUntil(Pace pace, Runnable letGo) throws Exception {
        CountDownLatch done = new CountDownLatch(1);
        try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            Future<?> waiting = threads.submit((Callable<Void>) () -> {
                pace.run(1, done::countDown);
                return null;
            });
            assertFalse(done.await(50, TimeUnit.MILLISECONDS));
            letGo.run();
            assertTrue(done.await(PATIENCE_SECONDS, TimeUnit.SECONDS));
            waiting.get();
        }
    }

    /** At a byte a second, what comes after a gigabyte waits for decades. */
    @Test
    void whoeverWaitsIsLetGoWhenTheRateChanges() throws Exception {
        Pace pace = new Pace(1, 0);
        pace.run(1 << 30, () -> {});
        assertWaitsUntil(pace, () -> pace.set(0, 0));
    }

    @Test
    void theLesserOfTwoRatesHolds() {
        Pace pace = new Pace(100, 0);
        assertEquals(100, pace.bytesPerSecond());
        pace.yieldTo(10);
        assertEquals(10, pace.bytesPerSecond());
        pace.set(5, 0);
        assertEquals(5, pace.bytesPerSecond());
        pace.set(0, 0);
        assertEquals(10, pace.bytesPerSecond());
        pace.yieldTo(0);
        assertEquals(0, pace.bytesPerSecond());
    }

    /** Or a rate that is looked at twice a second would be no rate to requests that take longer. */
    @Test
    void aDebtIsNotForgivenByAnotherRate() throws Exception {
        Pace pace = Pace.unlimited();
        pace.yieldTo(2);
        pace.run(1 << 30, () -> {});
        pace.yieldTo(1);
        assertWaitsUntil(pace, () -> pace.yieldTo(0));
        assertEquals((1 << 30) + 1, pace.moved());
    }

    @Test
    void aFailedRequestGivesItsPlaceBack() throws IOException {
        Pace pace = new Pace(0, 1);
        assertThrows(IOException.class, () -> pace.run(1, () -> {
            throw new IOException("it fails");
        }));
        int[] count = {0};
        pace.run(1, () -> count[0]++);
        assertEquals(1, count[0]);
    }

    /** Large requests are for those who are in nobody's way. */
    @Test
    void piecesAreSmallWhileSomebodyIsYieldedTo() {
        int most = 1 << 20;
        Pace pace = new Pace(1 << 20, 0);
        assertEquals(most, pace.piece(most), "a rate alone changes nothing");
        pace.yieldTo(16 << 20);
        assertEquals((16 << 20) / 125, pace.piece(most));
        pace.yieldTo(1L << 40);
        assertEquals(most, pace.piece(most));
        pace.yieldTo(0);
        assertEquals(most, pace.piece(most));
    }
}
