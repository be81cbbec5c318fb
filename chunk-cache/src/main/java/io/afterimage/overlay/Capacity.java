package io.afterimage.overlay;

import io.afterimage.block.DeviceFullException;
import java.util.concurrent.atomic.AtomicLong;

/** How many blocks an overlay has taken, and may take. Thread-safe. */
final class Capacity {

    private final long most;
    private final AtomicLong taken = new AtomicLong();

    /** @param bytes more than which may not be taken, rounded up to blocks */
    Capacity(long bytes) {
        most = Math.ceilDiv(bytes, (long) BlockStates.BLOCK);
    }

    /** Takes blocks, all or none. */
    void take(long blocks) throws DeviceFullException {
        long before = taken.getAndAdd(blocks);
        // What was there when a lower limit was set, or came back with a power cut, stays, and what takes no more may be done.
        if (blocks > 0 && before > most - blocks) {
            taken.addAndGet(-blocks);
            throw new DeviceFullException("the overlay has reached its limit of " + most * BlockStates.BLOCK + " bytes", null);
        }
    }

    /** Counts blocks that are there already, whatever the limit. */
    void count(long blocks) {
        taken.addAndGet(blocks);
    }

    void give(long blocks) {
        taken.addAndGet(-blocks);
    }

    long takenBytes() {
        return taken.get() * BlockStates.BLOCK;
    }
}
