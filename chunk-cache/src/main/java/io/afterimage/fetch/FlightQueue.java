package io.afterimage.fetch;

import io.afterimage.chunk.ChunkAddress;
import io.afterimage.chunk.ChunkSize;
import io.afterimage.repository.FrameLocation;
import io.afterimage.repository.FrameRun;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Deque;
import java.util.EnumMap;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.TreeMap;

/**
 * Flights that wait for their turn. Of those of one priority the lanes take turns, each in its own order; with a flight go those that lie beside it in the pack, whoever waits for
 * them. A flight may stand in the queues of several lanes and priorities: it goes with the first of them. Guarded by the fetcher's lock.
 */
final class FlightQueue {

    /** What is taken along for nobody may not make a reader wait much longer. */
    private static final int LONGEST_RIDE_ALONG = 512 * 1024;

    private static final Comparator<ChunkAddress> BY_PLACE =
            Comparator.comparing(ChunkAddress::pack).thenComparingInt(ChunkAddress::offset).thenComparingInt(ChunkAddress::lengthCode);
    private static final Comparator<FrameLocation> BY_FRAME =
            Comparator.comparing(FrameLocation::place, BY_PLACE).thenComparing(FrameLocation::address, BY_PLACE);

    private final ChunkSize chunkSize;
    /** The next lane first. */
    private final Map<Priority, LinkedHashMap<Lane, Deque<Flight>>> queues = new EnumMap<>(Priority.class);
    /** All that wait, by place. */
    private final NavigableMap<FrameLocation, Flight> byPlace = new TreeMap<>(BY_FRAME);

    FlightQueue(ChunkSize chunkSize) {
        this.chunkSize = chunkSize;
        for (Priority priority : Priority.values()) {
            queues.put(priority, new LinkedHashMap<>());
        }
    }

    void add(Lane lane, Priority priority, Flight flight) {
        queues.get(priority).computeIfAbsent(lane, _ -> new ArrayDeque<>()).add(flight);
        byPlace.put(flight.frame(), flight);
    }

    /** Takes a flight out that nobody wants any more. */
    void remove(Flight flight) {
        byPlace.remove(flight.frame(), flight);
    }

    boolean isEmpty() {
        return byPlace.isEmpty();
    }

    int size() {
        return byPlace.size();
    }

    /** The highest priority of those that wait; null when none does. */
    Priority first() {
        for (Priority priority : Priority.values()) {
            if (has(priority)) {
                return priority;
            }
        }
        return null;
    }

    /** Whether a flight of that priority waits. Forgets those that went with others. */
    private boolean has(Priority priority) {
        Iterator<Deque<Flight>> lanes = queues.get(priority).values().iterator();
        while (lanes.hasNext()) {
            Deque<Flight> flights = lanes.next();
            while (!flights.isEmpty() && !isWaiting(flights.peek())) {
                flights.poll();
            }
            if (!flights.isEmpty()) {
                return true;
            }
            lanes.remove();
        }
        return false;
    }

    private boolean isWaiting(Flight flight) {
        return byPlace.get(flight.frame()) == flight;
    }

    /** The next flight of that priority, alone; only if one waits. */
    Flight nextAlone(Priority priority) {
        Map.Entry<Lane, Deque<Flight>> lane = queues.get(priority).pollFirstEntry();
        Flight flight = lane.getValue().poll();
        if (!lane.getValue().isEmpty()) {
            queues.get(priority).put(lane.getKey(), lane.getValue());
        }
        remove(flight);
        return flight;
    }

    /** The next flight of that priority with all that can go in its request, in the order of their places; only if one waits. */
    List<Flight> next(Priority priority) {
        Flight first = nextAlone(priority);
        List<Flight> run = new ArrayList<>(List.of(first));
        Stretch stretch = new Stretch(begin(first), end(first), priority == Priority.DEMAND ? LONGEST_RIDE_ALONG : FrameRun.LONGEST);
        for (Flight next = above(first); next != null && stretch.takes(first, next); next = above(next)) {
            run.add(next);
        }
        for (Flight next = below(first); next != null && stretch.takes(first, next); next = below(next)) {
            run.add(next);
        }
        run.forEach(this::remove);
        run.sort(Comparator.comparing(Flight::frame, BY_FRAME));
        return run;
    }

    /** The bytes of a pack that a request asks for, as they grow. */
    private final class Stretch {

        private long begin;
        private long end;
        /** Bytes that it may still take for nobody. */
        private long spare;

        Stretch(long begin, long end, long spare) {
            this.begin = begin;
            this.end = end;
            this.spare = spare;
        }

        boolean takes(Flight first, Flight next) {
            long gap = Math.max(begin(next) - end, begin - end(next));
            long low = Math.min(begin, begin(next));
            long high = Math.max(end, end(next));
            long cost = next.isDemanded() ? 0 : high - low - (end - begin);
            boolean fits = next.frame().place().pack().equals(first.frame().place().pack())
                    && gap <= FrameRun.WIDEST_GAP
                    && high - low <= FrameRun.LONGEST
                    && cost <= spare;
            if (fits) {
                begin = low;
                end = high;
                spare -= cost;
            }
            return fits;
        }
    }

    private Flight above(Flight flight) {
        Map.Entry<FrameLocation, Flight> entry = byPlace.higherEntry(flight.frame());
        return entry == null ? null : entry.getValue();
    }

    private Flight below(Flight flight) {
        Map.Entry<FrameLocation, Flight> entry = byPlace.lowerEntry(flight.frame());
        return entry == null ? null : entry.getValue();
    }

    private long begin(Flight flight) {
        return flight.frame().place().byteOffset(chunkSize);
    }

    private long end(Flight flight) {
        return begin(flight) + flight.frame().place().byteLength(chunkSize);
    }
}
