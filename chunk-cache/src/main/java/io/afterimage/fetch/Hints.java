package io.afterimage.fetch;

import io.afterimage.cache.Guess;
import io.afterimage.chunk.ChunkAddress;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** What will be read some time, a little of it at a time, the lanes by turns. Guarded by the fetcher's lock. */
final class Hints {

    /** Of one lane; a boot profile has hundreds. */
    private static final int MOST = 10_000;
    /** Chunks of one turn: enough for neighbours to be found among them. */
    static final int TURN = 128;

    record Hint(Iterator<ChunkAddress> chunks, Guess guess) {}

    record Turn(Lane lane, List<ChunkAddress> chunks, Guess guess) {}

    private final LinkedHashMap<Lane, Deque<Hint>> byLane = new LinkedHashMap<>();

    /** Adds a hint, unless that lane has given more of them than anybody will follow. */
    void add(Lane lane, Hint hint) {
        Deque<Hint> hints = byLane.computeIfAbsent(lane, _ -> new ArrayDeque<>());
        if (hints.size() < MOST) {
            hints.add(hint);
        }
    }

    void remove(Lane lane) {
        byLane.remove(lane);
    }

    boolean isEmpty() {
        return byLane.isEmpty();
    }

    /** The next chunks of the lane whose turn it is; only if there are any. */
    Turn next() {
        Map.Entry<Lane, Deque<Hint>> lane = byLane.pollFirstEntry();
        Deque<Hint> hints = lane.getValue();
        List<ChunkAddress> chunks = new ArrayList<>();
        Guess guess = hints.peek().guess();
        while (!hints.isEmpty() && chunks.size() < TURN) {
            Iterator<ChunkAddress> hint = hints.peek().chunks();
            while (hint.hasNext() && chunks.size() < TURN) {
                chunks.add(hint.next());
            }
            if (!hint.hasNext()) {
                hints.poll();
            }
        }
        if (!hints.isEmpty()) {
            byLane.put(lane.getKey(), hints);
        }
        return new Turn(lane.getKey(), chunks, guess);
    }
}
