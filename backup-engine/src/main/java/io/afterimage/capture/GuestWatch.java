package io.afterimage.capture;

import java.io.Closeable;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Looks at guests again and again while disks of theirs are read, and has the pace follow the one that bears least. Thread-safe. */
public final class GuestWatch implements Closeable {

    private static final Logger LOG = LoggerFactory.getLogger(GuestWatch.class);
    private static final long FIRST_LOOK_MILLIS = 100;
    private static final long LOOK_AGAIN_MILLIS = 500;

    private final Pace pace;
    private final CountDownLatch closed = new CountDownLatch(1);

    private GuestWatch(Pace pace) {
        this.pace = pace;
    }

    /**
     * Watches until closed. A guest that cannot be looked at is not yielded to: whoever reads it finds out what is wrong.
     *
     * @param guests all that share what the backup takes, whosever disks are being read
     */
    public static GuestWatch start(List<GuestLoad.Meter> guests, Pace pace, Yielding yielding) {
        var watch = new GuestWatch(pace);
        List<Guest> watched = new ArrayList<>();
        guests.forEach(guest -> yielding.rate().ifPresent(rate -> watched.add(new Guest(guest, rate, pace))));
        if (watched.isEmpty()) {
            watch.close();
        } else {
            Thread.ofVirtual().name("guest-watch").start(() -> watch.lookAgain(watched));
        }
        return watch;
    }

    private void lookAgain(List<Guest> guests) {
        try {
            lookAt(guests);
            for (long wait = FIRST_LOOK_MILLIS; !guests.isEmpty() && !closed.await(wait, TimeUnit.MILLISECONDS); wait = LOOK_AGAIN_MILLIS) {
                lookAt(guests);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void lookAt(List<Guest> guests) {
        long limit = YieldingRate.UNLIMITED;
        for (Guest guest : List.copyOf(guests)) {
            try {
                limit = YieldingRate.lower(limit, guest.limit());
            } catch (IOException | RuntimeException e) { // or its last limit would stay
                LOG.info("A guest is not yielded to any more: {}", e.getMessage());
                guests.remove(guest);
            }
        }
        yieldTo(limit);
    }

    private synchronized void yieldTo(long limit) {
        pace.yieldTo(closed.getCount() == 0 ? YieldingRate.UNLIMITED : limit);
    }

    @Override
    public void close() {
        closed.countDown();
        yieldTo(YieldingRate.UNLIMITED);
    }

    /**
     * What was to be seen at a moment.
     *
     * @param nanos of {@link System#nanoTime}
     * @param moved by the backup until then, in bytes
     */
    private record Look(GuestLoad load, long nanos, long moved) {}

    /** One that is looked at, by one thread. */
    private static final class Guest {

        private final GuestLoad.Meter meter;
        private final YieldingRate rate;
        private final Pace pace;
        /** Null before the first. */
        private Look last;

        Guest(GuestLoad.Meter meter, YieldingRate rate, Pace pace) {
            this.meter = meter;
            this.rate = rate;
            this.pace = pace;
        }

        /** Looks, and returns the bytes per second that it bears from now on. */
        long limit() throws IOException {
            Look before = last;
            last = new Look(meter.read(), System.nanoTime(), pace.moved());
            if (before == null) {
                return YieldingRate.UNLIMITED;
            }
            GuestLoad load = last.load().since(before.load());
            double seconds = (last.nanos() - before.nanos()) / 1e9;
            long moved = last.moved() - before.moved();
            long limit = rate.next(load, seconds, moved);
            LOG.debug("In {} s {}, and {} bytes were moved: from now on the backup may move {} bytes/s", seconds, load, moved, limit);
            return limit;
        }
    }
}
