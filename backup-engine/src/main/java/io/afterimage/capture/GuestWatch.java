package io.afterimage.capture;

import java.io.Closeable;
import java.io.IOException;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Looks at a guest again and again while its disks are read, and has the pace follow. Thread-safe. */
public final class GuestWatch implements Closeable {

    private static final Logger LOG = LoggerFactory.getLogger(GuestWatch.class);
    private static final long FIRST_LOOK_MILLIS = 100;
    private static final long LOOK_AGAIN_MILLIS = 500;

    private final GuestLoad.Meter meter;
    private final Pace pace;
    private final CountDownLatch closed = new CountDownLatch(1);
    // What the last look has shown, to the thread that looks.
    private GuestLoad seen;
    private long seenAt;
    private long moved;

    private GuestWatch(GuestLoad.Meter meter, Pace pace) {
        this.meter = meter;
        this.pace = pace;
    }

    /** Watches until closed. A guest that cannot be looked at is not yielded to: whoever reads it finds out what is wrong. */
    public static GuestWatch start(GuestLoad.Meter meter, Pace pace, Yielding yielding) {
        var watch = new GuestWatch(meter, pace);
        Optional<YieldingRate> rate = yielding.rate();
        if (rate.isPresent()) {
            Thread.ofVirtual().name("guest-watch").start(() -> watch.lookAgain(rate.get()));
        } else {
            watch.close();
        }
        return watch;
    }

    private void lookAgain(YieldingRate rate) {
        try {
            look();
            for (long wait = FIRST_LOOK_MILLIS; !closed.await(wait, TimeUnit.MILLISECONDS); wait = LOOK_AGAIN_MILLIS) {
                GuestLoad before = seen;
                long then = seenAt;
                long movedBefore = moved;
                look();
                GuestLoad load = seen.since(before);
                double seconds = (seenAt - then) / 1e9;
                long limit = rate.next(load, seconds, moved - movedBefore);
                yieldTo(limit);
                LOG.debug("In {} s {}, and {} bytes were moved: from now on the backup may move {} bytes/s", seconds, load, moved - movedBefore, limit);
            }
        } catch (IOException | RuntimeException e) { // or the last limit would stay
            LOG.info("The guest is not yielded to any more: {}", e.getMessage());
            yieldTo(YieldingRate.UNLIMITED);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void look() throws IOException {
        seen = meter.read();
        seenAt = System.nanoTime();
        moved = pace.moved();
    }

    private synchronized void yieldTo(long limit) {
        pace.yieldTo(closed.getCount() == 0 ? YieldingRate.UNLIMITED : limit);
    }

    @Override
    public void close() {
        closed.countDown();
        yieldTo(YieldingRate.UNLIMITED);
    }
}
