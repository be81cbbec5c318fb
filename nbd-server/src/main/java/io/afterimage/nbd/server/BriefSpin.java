package io.afterimage.nbd.server;

import io.netty.channel.SelectStrategy;
import io.netty.util.IntSupplier;

/**
 * How an event loop waits: it looks for a moment before it sleeps, if lately the next event came within such a moment. A client that
 * has one request in flight sends the next as soon as it has the reply; to be put to sleep and woken, by an interrupt between
 * virtual CPUs at worst, takes longer than to answer. A sleep that was long makes the moment shrink to nothing, so that an idle or
 * slowly fed loop costs nothing; one that was short makes it grow. (The way in which KVM polls before it halts.) While other loops
 * have work, looking would take the processor from them or from their clients: then it sleeps at once.
 * For one event loop.
 */
final class BriefSpin implements SelectStrategy {

    /**
     * More than it takes to wake both a client and a loop whose processors have halted, some 50 µs in a virtual machine. Else a loop
     * that has slept once finds its sleep long by its own awakening, and goes on sleeping.
     */
    private static final long LONGEST_NANOS = 100_000;
    private static final long SHORTEST_NANOS = 5_000;
    /** Another loop that was seen within such a moment has something to do. */
    private static final long RECENT_NANOS = 50_000;
    /** For so long after another loop has had something to do it is taken to have more. */
    private static final long BUSY_NANOS = 1_000_000;

    /** What the loops of one server know of each other. Written without a lock: a mistake costs one moment. */
    static final class Neighbours {
        private volatile BriefSpin last;
        private volatile long at;
    }

    private final Neighbours neighbours;
    private long spinNanos;
    private long asleepSince;
    /** When another loop was last seen to have something to do. */
    private long neighbourBusyAt = System.nanoTime() - BUSY_NANOS;

    BriefSpin(Neighbours neighbours) {
        this.neighbours = neighbours;
    }

    @Override
    @SuppressWarnings("ThreadPriorityCheck") // yielding is a courtesy here: nothing depends on it
    public int calculateStrategy(IntSupplier readyEvents, boolean hasTasks) throws Exception {
        if (hasTasks) {
            asleepSince = 0;
            return readyEvents.get();
        }
        long now = System.nanoTime();
        if (neighbours.last != this && now - neighbours.at < RECENT_NANOS) {
            neighbourBusyAt = now;
        }
        neighbours.last = this;
        neighbours.at = now;
        if (asleepSince != 0) {
            // A short sleep would have been caught by looking a little longer; after a long one, looking would be in vain again.
            spinNanos = now - asleepSince < LONGEST_NANOS ? Math.clamp(2 * spinNanos, SHORTEST_NANOS, LONGEST_NANOS) : spinNanos / 4;
        }
        if (now - neighbourBusyAt > BUSY_NANOS) {
            for (long end = now + spinNanos; now < end; now = System.nanoTime()) {
                int ready = readyEvents.get();
                if (ready > 0) {
                    asleepSince = 0;
                    return ready;
                }
                // Others may want the processor more: the client, for one.
                Thread.yield();
            }
        }
        asleepSince = now;
        return SelectStrategy.SELECT;
    }
}
