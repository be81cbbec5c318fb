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

    /**
     * What was to be seen at a moment.
     *
     * @param nanos of {@link System#nanoTime}
     * @param moved by the backup until then, in bytes
     */
    private record Look(GuestLoad load, long nanos, long moved) {}

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
            Look last = look();
            for (long wait = FIRST_LOOK_MILLIS; !closed.await(wait, TimeUnit.MILLISECONDS); wait = LOOK_AGAIN_MILLIS) {
                Look now = look();
                GuestLoad load = now.load().since(last.load());
                double seconds = (now.nanos() - last.nanos()) / 1e9;
                long moved = now.moved() - last.moved();
                long limit = rate.next(load, seconds, moved);
                yieldTo(limit);
                LOG.debug("In {} s {}, and {} bytes were moved: from now on the backup may move {} bytes/s", seconds, load, moved, limit);
                last = now;
            }
        } catch (IOException | RuntimeException e) { // or the last limit would stay
            LOG.info("The guest is not yielded to any more: {}", e.getMessage());
            yieldTo(YieldingRate.UNLIMITED);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private Look look() throws IOException {
        return new Look(meter.read(), System.nanoTime(), pace.moved());
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
