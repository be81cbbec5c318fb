package io.afterimage.fetch;

import io.afterimage.cache.Guess;
import io.afterimage.chunk.ChunkAddress;
import io.afterimage.repository.FrameLocation;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** A chunk on its way, from the first who wants it until it has landed or crashed. Guarded by the fetcher's lock. */
final class Flight {

    private final FrameLocation frame;
    /** Those who wait for it, each with what it wants of it. */
    private final Map<Delivery, List<Want>> waiting = new HashMap<>();
    /** Those who would like to have it. */
    private final Set<Lane> wishing = new HashSet<>();
    private Lane lane;
    /** The first who guessed it, if nobody had asked for it before. */
    private Guess guess;
    /** What fetches it; null while it waits for its turn. */
    private Run run;
    private boolean onDisk;
    private boolean over;

    /** @param onDisk the cache on disk probably has it */
    Flight(FrameLocation frame, boolean onDisk) {
        this.frame = frame;
        this.onDisk = onDisk;
    }

    boolean isOnDisk() {
        return onDisk;
    }

    /** The disk did not have it after all: it waits for another turn. */
    void goToStore() {
        onDisk = false;
        run = null;
    }

    FrameLocation frame() {
        return frame;
    }

    ChunkAddress address() {
        return frame.address();
    }

    boolean hasBegun() {
        return run != null;
    }

    Run run() {
        return run;
    }

    void begin(Run fetching) {
        run = fetching;
    }

    boolean isDemanded() {
        return !waiting.isEmpty();
    }

    boolean isWanted() {
        return isDemanded() || !wishing.isEmpty();
    }

    /** It has landed, has crashed, or was called off: whoever wants the chunk now begins another flight. */
    boolean isOver() {
        return over;
    }

    /** The lane that asked last. */
    Lane lane() {
        return lane;
    }

    void demand(Lane asking, Delivery delivery, Want want) {
        lane = asking;
        waiting.computeIfAbsent(delivery, _ -> new ArrayList<>(1)).add(want);
        if (guess != null) {
            guess.used();
            guess = null;
        }
    }

    void wish(Lane asking, Guess as) {
        lane = isDemanded() ? lane : asking;
        if (!isWanted()) {
            guess = as;
        }
        wishing.add(asking);
    }

    void leave(Delivery delivery) {
        waiting.remove(delivery);
    }

    void leave(Lane leaving) {
        wishing.remove(leaving);
    }

    /** Those who would like to have it, as it changes. */
    Set<Lane> wishing() {
        return wishing;
    }

    /** The guess that it still is; null when somebody has asked for the chunk. */
    Guess guess() {
        return guess;
    }

    /** Ends it, and tells who is to be given what it brought. */
    Map<Delivery, List<Want>> end() {
        over = true;
        return waiting;
    }
}
