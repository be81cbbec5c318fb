package io.afterimage.cache;

import java.nio.ByteBuffer;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * One chunk in one slot, counted: the tier holds it while it keeps the chunk, and everybody who reads it while he reads. Who lets go last gives the
 * slot back. A slot that is used again is another {@code Resident}: none comes back to life, so that whoever holds one holds the chunk he looked for.
 */
final class Resident {

    /** As many pages as the usual chunk has. */
    private static final int USES_COUNTED_AS_ONE = 16;

    private final ByteBuffer slot;
    private final Slab slab;
    private final AtomicInteger holds = new AtomicInteger(1);
    /** Races lose a count or two, which nobody minds. */
    private int uses;

    Resident(ByteBuffer slot, Slab slab) {
        this.slot = slot;
        this.slab = slab;
    }

    /** The chunk; only for who holds it. Shared: read by absolute index or through a slice. */
    ByteBuffer bytes() {
        return slot;
    }

    /** Whether this use is one that the cache is told of: a chunk that is read piece by piece has been asked for once, not sixteen times. */
    boolean isUseToCount() {
        return uses++ % USES_COUNTED_AS_ONE == 0;
    }

    /** False when the chunk is no longer kept and its slot may already hold another. */
    boolean hold() {
        int count;
        do {
            count = holds.get();
            if (count == 0) {
                return false;
            }
        } while (!holds.compareAndSet(count, count + 1));
        return true;
    }

    void release() {
        int left = holds.decrementAndGet();
        if (left == 0) {
            slab.giveBack(slot);
        } else if (left < 0) {
            throw new IllegalStateException("a chunk was released twice");
        }
    }
}
