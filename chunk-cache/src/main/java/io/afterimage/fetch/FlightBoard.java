package io.afterimage.fetch;

import io.afterimage.cache.DiskTier;
import io.afterimage.cache.Guess;
import io.afterimage.cache.MemoryTier;
import io.afterimage.chunk.ChunkAddress;
import io.afterimage.chunk.ChunkSize;
import io.afterimage.repository.FrameLocation;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;

/** All flights, from the first who wants a chunk to its landing: who wants which, and which wait for their turn. Guarded by the fetcher's lock; neither blocks nor begins anything. */
final class FlightBoard {

    /** Chunks that wait for their turn, beyond which nobody need guess. */
    private static final int MOST_GUESSES = 2048;

    private final MemoryTier memory;
    private final Optional<DiskTier> disk;
    private final Function<ChunkAddress, FrameLocation> locate;
    private final Map<ChunkAddress, Flight> flights = new HashMap<>();
    private final FlightQueue forStore;
    private final FlightQueue forDisk;
    private final Hints hints = new Hints();
    /** For how many chunks there must be room before hints are followed on. */
    private final long leastTurn;

    /** @param locate where to look first; never asks the store */
    FlightBoard(MemoryTier memory, Optional<DiskTier> disk, ChunkSize chunkSize, Function<ChunkAddress, FrameLocation> locate) {
        this.memory = memory;
        this.disk = disk;
        this.locate = locate;
        forStore = new FlightQueue(chunkSize);
        forDisk = new FlightQueue(chunkSize);
        leastTurn = Math.clamp(memory.capacity() / chunkSize.bytes() / 8, 1, Hints.REFILL_EVERY);
    }

    FlightQueue forStore() {
        return forStore;
    }

    FlightQueue forDisk() {
        return forDisk;
    }

    Hints hints() {
        return hints;
    }

    Collection<Flight> flights() {
        return flights.values();
    }

    boolean hasRoomForGuesses() {
        return forStore.size() + forDisk.size() < MOST_GUESSES;
    }

    /** Whether the chunk is in memory and not on its way there: no flight is needed. */
    boolean isAtHand(ChunkAddress address) {
        return !flights.containsKey(address) && memory.contains(address);
    }

    /** The flight that brings the chunk to one who waits. */
    Flight demand(Lane lane, Delivery delivery, Want want) {
        Flight flight = flights.computeIfAbsent(want.address(), this::newFlight);
        flight.demand(lane, delivery, want);
        if (!flight.hasBegun()) {
            queue(flight).add(lane, Priority.DEMAND, flight);
        }
        return flight;
    }

    /** Flights for those of the chunks that are neither in memory nor on their way. */
    void wish(Lane lane, List<ChunkAddress> chunks, Guess guess, Priority priority) {
        for (ChunkAddress address : chunks) {
            Flight flight = isAtHand(address) ? null : flights.computeIfAbsent(address, this::newFlight);
            if (flight != null && lane.wishes().add(flight)) {
                flight.wish(lane, guess);
                if (!flight.hasBegun() && !flight.isDemanded()) {
                    queue(flight).add(lane, priority, flight);
                }
            }
        }
    }

    /**
     * Makes flights of hints, some more than can begin: neighbours are found among those that wait. Not while memory is full of what was guessed and nobody has read: more would push
     * out what comes before it, and hints that are of no use end there. Nor for each chunk that is read: requests would be as small.
     */
    void followHints() {
        while (!hints.isEmpty() && forStore.size() + forDisk.size() < Hints.TURN && flights.size() + leastTurn <= memory.roomForGuesses()) {
            Hints.Turn turn = hints.next(memory.roomForGuesses() - flights.size());
            wish(turn.lane(), turn.chunks(), turn.lane()::hintUsed, Priority.HINT);
        }
    }

    private Flight newFlight(ChunkAddress address) {
        FrameLocation frame = locate.apply(address);
        return new Flight(frame, disk.isPresent() && disk.get().contains(frame.place()));
    }

    private FlightQueue queue(Flight flight) {
        return flight.isOnDisk() ? forDisk : forStore;
    }

    /** The disk did not have it after all. */
    void goToStore(Flight flight) {
        if (!flight.isOver()) {
            flight.goToStore();
            forStore.add(flight.lane(), flight.isDemanded() ? Priority.DEMAND : Priority.READ_AHEAD, flight);
        }
    }

    /**
     * One who waited does so no longer.
     *
     * @param stuck what fetches it does not get on
     */
    void leave(Delivery delivery, Flight flight, boolean stuck) {
        if (flight.isOver()) {
            // It is being handed over; the delivery takes no more.
            return;
        }
        flight.leave(delivery);
        if (stuck && flight.hasBegun()) {
            // What shares a request with something stuck is stuck, too; those who only guess it shall not keep the request alive.
            flight.run().flights().stream().filter(other -> !other.isDemanded() && !other.isOver()).forEach(this::giveUp);
        }
        callOffIfUnwanted(flight);
    }

    private void giveUp(Flight flight) {
        forgetWishes(flight);
        callOffIfUnwanted(flight);
    }

    /** Calls off all that only this lane would like to have. */
    void forget(Lane lane) {
        hints.remove(lane);
        for (Flight flight : lane.wishes()) {
            flight.leave(lane);
            callOffIfUnwanted(flight);
        }
        lane.wishes().clear();
    }

    private void callOffIfUnwanted(Flight flight) {
        if (flight.isWanted()) {
            return;
        }
        end(flight);
        queue(flight).remove(flight);
        if (flight.hasBegun()) {
            flight.run().cancelIfUnwanted();
        }
    }

    /** Ends a flight, and tells who is to be given what it brought. Whoever wants the chunk from now on begins another. */
    Map<Delivery, List<Want>> end(Flight flight) {
        flights.remove(flight.address(), flight);
        forgetWishes(flight);
        return flight.end();
    }

    private static void forgetWishes(Flight flight) {
        flight.wishing().forEach(lane -> lane.wishes().remove(flight));
        flight.wishing().clear();
    }
}
