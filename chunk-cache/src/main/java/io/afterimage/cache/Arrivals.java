package io.afterimage.cache;

import io.afterimage.chunk.ChunkAddress;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.atomic.LongAdder;

/** Chunks that were fetched on a guess and that nobody has read yet, the eldest first to go. Thread-safe. */
final class Arrivals {

    private record Arrival(Resident chunk, Guess guess) {}

    private final int most;
    private final Map<ChunkAddress, Arrival> waiting = new LinkedHashMap<>();
    private final LongAdder used = new LongAdder();
    private final LongAdder wasted = new LongAdder();
    /** What {@link #use} looks at first: most reads come when nothing waits. */
    private volatile int size;

    Arrivals(int most) {
        this.most = most;
    }

    boolean contains(ChunkAddress address) {
        if (size == 0) {
            return false;
        }
        synchronized (waiting) {
            return waiting.containsKey(address);
        }
    }

    /** Takes a chunk out because it is read: the hold that was the queue's is the caller's. Null if it is not here. */
    Resident use(ChunkAddress address) {
        if (size == 0) {
            return null;
        }
        Arrival arrival;
        synchronized (waiting) {
            arrival = waiting.remove(address);
            size = waiting.size();
        }
        if (arrival == null) {
            return null;
        }
        used.increment();
        arrival.guess.used();
        return arrival.chunk;
    }

    void add(ChunkAddress address, Resident chunk, Guess guess) {
        Arrival replaced;
        synchronized (waiting) {
            replaced = waiting.put(address, new Arrival(chunk, guess));
            size = waiting.size();
        }
        drop(replaced);
        if (size > most) {
            dropEldest();
        }
    }

    void dropEldest() {
        Arrival eldest = null;
        synchronized (waiting) {
            Iterator<Arrival> inOrder = waiting.values().iterator();
            if (inOrder.hasNext()) {
                eldest = inOrder.next();
                inOrder.remove();
                size = waiting.size();
            }
        }
        drop(eldest);
    }

    int size() {
        return size;
    }

    int room() {
        return Math.max(0, most - size);
    }

    /** Chunks that were read in the end. */
    long used() {
        return used.sum();
    }

    /** Chunks that had to go unread. */
    long wasted() {
        return wasted.sum();
    }

    private void drop(Arrival arrival) {
        if (arrival != null) {
            arrival.chunk.release();
            wasted.increment();
        }
    }
}
