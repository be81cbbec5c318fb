package io.afterimage.fetch;

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
    /** Chunks read of those that hints have brought, after which it is looked whether more may come. */
    static final int REFILL_EVERY = 16;

    record Turn(Lane lane, List<ChunkAddress> chunks) {}

    private final LinkedHashMap<Lane, Deque<Iterator<ChunkAddress>>> byLane = new LinkedHashMap<>();

    /** Adds a hint, unless that lane has given more of them than anybody will follow. */
    void add(Lane lane, Iterator<ChunkAddress> hint) {
        Deque<Iterator<ChunkAddress>> hints = byLane.computeIfAbsent(lane, _ -> new ArrayDeque<>());
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

    /** The next chunks of the lane whose turn it is, so many at most; only if there is a hint. */
    Turn next(int most) {
        int count = Math.min(TURN, most);
        Map.Entry<Lane, Deque<Iterator<ChunkAddress>>> lane = byLane.pollFirstEntry();
        Deque<Iterator<ChunkAddress>> hints = lane.getValue();
        List<ChunkAddress> chunks = new ArrayList<>();
        while (!hints.isEmpty() && chunks.size() < count) {
            Iterator<ChunkAddress> hint = hints.peek();
            while (hint.hasNext() && chunks.size() < count) {
                chunks.add(hint.next());
            }
            if (!hint.hasNext()) {
                hints.poll();
            }
        }
        if (!hints.isEmpty()) {
            byLane.put(lane.getKey(), hints);
        }
        return new Turn(lane.getKey(), chunks);
    }
}
