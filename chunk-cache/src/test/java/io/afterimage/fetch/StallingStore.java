package io.afterimage.fetch;

import io.afterimage.chunk.PackId;
import io.afterimage.pack.PackObjects;
import io.afterimage.store.ForwardingStore;
import io.afterimage.store.ObjectKey;
import io.afterimage.store.ObjectStore;
import io.afterimage.store.Operation;
import io.afterimage.store.Problem;
import io.afterimage.store.StoreException;
import io.afterimage.store.StoreException.Outcome;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;

/** A store that can stop to answer, and be away, for as long as a test wants; it remembers which ranges of packs were asked for, in order. */
public final class StallingStore extends ForwardingStore {

    /** A ranged GET of a pack. */
    public record Range(PackId pack, long offset, int length) {}

    private final List<Range> asked = new ArrayList<>();
    private boolean stalled;
    private boolean away;
    private int waiting;
    /** Requests that are answered in spite of the stall. */
    private int permitted;

    public StallingStore(ObjectStore store) {
        super(store);
    }

    /** From now on ranged GETs wait. */
    public synchronized void stall() {
        stalled = true;
    }

    /** All are answered again. */
    public synchronized void resume() {
        stalled = false;
        permitted = 0;
        notifyAll();
    }

    /** Answers that many of the waiting requests, or of those to come. */
    public synchronized void permit(int count) {
        permitted += count;
        notifyAll();
    }

    /** From now on, or no longer, every GET fails as if the network were down. */
    public synchronized void away(boolean whether) {
        away = whether;
    }

    /** Returns when that many requests wait. */
    public synchronized void awaitWaiting(int count) throws InterruptedException {
        while (waiting != count) {
            wait();
        }
    }

    /** Returns when that many ranges have been asked for since the beginning. */
    public synchronized List<Range> awaitAsked(int count) throws InterruptedException {
        while (asked.size() < count) {
            wait();
        }
        return List.copyOf(asked);
    }

    public synchronized List<Range> asked() {
        return List.copyOf(asked);
    }

    private synchronized void pass(ObjectKey key, long offset, int length) throws StoreException {
        PackObjects.id(key).ifPresent(pack -> asked.add(new Range(pack, offset, length)));
        if (away) {
            throw new StoreException(Operation.GET, key.value(), toString(), Problem.UNREACHABLE, Outcome.TRANSIENT, null);
        }
        waiting++;
        notifyAll();
        try {
            while (stalled && permitted == 0) {
                wait();
            }
            permitted = Math.max(0, permitted - 1);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new StoreException(Operation.GET, key.value(), toString(), Problem.INTERRUPTED, Outcome.FATAL, e);
        } finally {
            waiting--;
            notifyAll();
        }
    }

    @Override
    public void get(ObjectKey key, long offset, ByteBuffer target) throws StoreException {
        pass(key, offset, target.remaining());
        super.get(key, offset, target);
    }

    @Override
    public String toString() {
        return "stalling " + super.toString();
    }
}
