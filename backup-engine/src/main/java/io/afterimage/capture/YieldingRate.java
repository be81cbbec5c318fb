package io.afterimage.capture;

import java.util.List;

/**
 * The rate at which a backup may go so that a guest does not feel it, found by trying: a pure function of what was seen so far.
 *
 * <p>While the guest leaves its disks alone there is no limit. Otherwise the backup goes at the least rate until it has seen what reads and writes take the guest
 * then: what they take anyway. The rate rises while they do not take longer than so many times that, and halves when they do. A
 * guest that is slow at the least rate, too, is so for another reason: that is what it is compared with from then on.
 *
 * <p>It is compared with what it is like during the cut and not with what it was like before, since keeping what is overwritten
 * costs the guest time, too, which no rate gives back. Means, since a look sees dozens of requests and not the thousands
 * that would tell a percentile.
 *
 * <p>What requests take begins when the hypervisor takes them up. How long it waited for a processor until then is looked at in the same way: on a host that is
 * short of processors that is most of what a guest feels, and all of it comes before means tell. Not thread-safe.
 */
final class YieldingRate {

    /** No limit. */
    static final long UNLIMITED = 0;

    /** Fewer requests of a kind in a second are what an idle guest does, and too few to judge by. */
    private static final double BUSY = 10;

    /** What a busy guest's threads may wait for processors in any case, in a second: hosts with room to spare have less. */
    private static final double WAITS = 20e6;

    private static final double RISE = 1.1;

    private final Yielding yielding;
    private final Usual reads = new Usual();
    private final Usual writes = new Usual();
    private final Usual waits = new Usual();
    private long rate = UNLIMITED;

    YieldingRate(Yielding yielding) {
        this.yielding = yielding;
    }

    /** Of two limits. */
    static long lower(long one, long other) {
        return one == UNLIMITED ? other : other == UNLIMITED ? one : Math.min(one, other);
    }

    /** What requests of a kind take, or all threads wait in a second, when the backup is not felt; 0 while that is not known. */
    private static final class Usual {

        private double nanos;

        boolean isUnknown() {
            return nanos == 0;
        }

        boolean isExceeded(double seen, double factor) {
            return seen > factor * nanos;
        }

        /** @param undisturbed whether the backup was as slow as it gets; otherwise requests can only show that they take less than was thought */
        void learn(double seen, boolean undisturbed) {
            if (undisturbed) {
                nanos = nanos == 0 ? seen : (nanos + seen) / 2;
            } else if (seen < nanos) {
                nanos += (seen - nanos) / 8;
            }
        }
    }

    /**
     * Takes up what was seen since the last time, and returns the bytes per second from now on, or {@link #UNLIMITED}.
     *
     * @param load of the guest
     * @param seconds how long it took
     * @param moved the bytes that the backup moved meanwhile
     */
    long next(GuestLoad load, double seconds, long moved) {
        boolean undisturbed = rate == yielding.leastRate();
        boolean busy = false;
        boolean unknown = false;
        boolean felt = false;
        for (Kind kind : List.of(new Kind(reads, load.reads(), load.readNanos()), new Kind(writes, load.writes(), load.writeNanos()))) {
            if (kind.count() >= BUSY * seconds) {
                double seen = (double) kind.nanos() / kind.count();
                kind.usual().learn(seen, undisturbed);
                busy = true;
                unknown |= kind.usual().isUnknown();
                felt |= kind.usual().isExceeded(seen, yielding.factor());
            }
        }
        if (busy) {
            double seen = load.waitNanos() / seconds;
            waits.learn(seen, undisturbed);
            felt |= seen > WAITS && waits.isExceeded(seen, yielding.factor());
        }
        long achieved = (long) (moved / seconds);
        if (!busy) {
            rate = UNLIMITED;
        } else if (unknown) {
            rate = yielding.leastRate();
        } else if (felt) {
            rate = Math.max(yielding.leastRate(), (rate == UNLIMITED ? achieved : Math.min(rate, achieved)) / 2);
        } else if (rate != UNLIMITED) {
            // Not far beyond what is made use of, so that halving it will be noticed.
            rate = Math.max(rate, Math.min((long) (rate * RISE), 2 * achieved));
        }
        return rate;
    }

    private record Kind(Usual usual, long count, long nanos) {}
}
