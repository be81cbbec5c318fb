package io.afterimage.fetch;

import io.afterimage.repository.FrameLocation;
import java.util.List;

/**
 * Flights that one request serves. Its thread can be interrupted while it waits for the request, not later. Guarded by the fetcher's lock.
 *
 * @see FlightQueue#next
 */
final class Run {

    private final List<Flight> flights;
    private final boolean background;
    private Thread requesting;

    /** @param background nobody waited for any of them when it began */
    Run(List<Flight> flights, boolean background) {
        this.flights = List.copyOf(flights);
        this.background = background;
        flights.forEach(flight -> flight.begin(this));
    }

    List<Flight> flights() {
        return flights;
    }

    boolean isBackground() {
        return background;
    }

    List<FrameLocation> frames() {
        return flights.stream().map(Flight::frame).toList();
    }

    void requesting(Thread thread) {
        requesting = thread;
    }

    /** Ends the request if nobody wants any of it any more. */
    void cancelIfUnwanted() {
        if (requesting != null && flights.stream().allMatch(Flight::isOver)) {
            requesting.interrupt();
            requesting = null;
        }
    }
}
