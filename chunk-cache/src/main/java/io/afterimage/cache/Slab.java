package io.afterimage.cache;

import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.Deque;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Direct memory in slots of one size, bounded. It is taken from the system a region at a time, as slots are asked for, and is never given back
 * by hand: the collector frees a region when nobody has a buffer of it any more, so that no borrower, however slow, is left with freed
 * memory. Thread-safe.
 */
final class Slab {

    private static final Logger LOG = LoggerFactory.getLogger(Slab.class);
    private static final int REGION = 4 << 20;

    private final int slotBytes;
    private final Deque<ByteBuffer> free = new ArrayDeque<>();
    private int slots;
    /** Slots that have not been made yet. */
    private int unmade;

    Slab(int slots, int slotBytes) {
        this.slots = slots;
        this.slotBytes = slotBytes;
        unmade = slots;
    }

    /** A buffer of one slot, from 0 to its capacity, the caller's until it is given back; null when all are taken. */
    synchronized ByteBuffer take() {
        if (free.isEmpty() && unmade > 0) {
            makeRegion();
        }
        return free.poll();
    }

    synchronized void giveBack(ByteBuffer slot) {
        free.push(slot);
    }

    /** How many slots there are, or may come to be. */
    synchronized int slots() {
        return slots;
    }

    private void makeRegion() {
        int count = Math.min(unmade, Math.max(1, REGION / slotBytes));
        try {
            ByteBuffer region = ByteBuffer.allocateDirect(count * slotBytes);
            for (int i = count - 1; i >= 0; i--) {
                free.push(region.slice(i * slotBytes, slotBytes));
            }
            unmade -= count;
        } catch (OutOfMemoryError e) {
            slots -= unmade;
            unmade = 0;
            LOG.warn(
                    "The cache in memory stays at {} MiB, since the JVM allows no more direct memory (-XX:MaxDirectMemorySize).",
                    ((long) slots * slotBytes) >> 20);
        }
    }
}
