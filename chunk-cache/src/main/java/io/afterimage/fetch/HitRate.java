package io.afterimage.fetch;

import io.afterimage.cache.Guess;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * How many chunks it pays to guess at once: more while most guesses come true, fewer while they do not, and now and then one to find out whether that has changed.
 * Thread-safe.
 */
public final class HitRate implements Guess {

    /** Guesses after which it is looked whether they were right, at least. */
    private static final int LOOK_EVERY = 16;
    /** How often nothing is guessed before it is tried again. */
    private static final int PROBE_EVERY = 32;

    private final int most;
    private final AtomicInteger right = new AtomicInteger();
    private int made;
    private int width;
    private int refused;

    /**
     * @param first the width to begin with
     * @param most the largest width
     */
    public HitRate(int first, int most) {
        this.most = Math.max(1, most);
        width = Math.min(first, this.most);
    }

    /** How many to guess now. */
    public synchronized int width() {
        if (made >= Math.max(LOOK_EVERY, width)) {
            look();
        }
        if (width == 0 && ++refused >= PROBE_EVERY) {
            refused = 0;
            width = 1;
        }
        return width;
    }

    /** That many were guessed. */
    public synchronized void made(int count) {
        made += count;
    }

    @Override
    public void used() {
        right.incrementAndGet();
    }

    private void look() {
        int hits = Math.min(right.get(), made);
        if (hits * 2 >= made) {
            width = Math.min(most, Math.max(1, width * 2));
        } else if (hits * 4 < made) {
            width /= 2;
        }
        // Half of what is known is forgotten: guesses of a moment ago may still come true.
        made /= 2;
        right.addAndGet(-(hits - hits / 2));
    }
}
