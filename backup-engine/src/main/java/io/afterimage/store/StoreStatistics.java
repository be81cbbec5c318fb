package io.afterimage.store;

import java.util.EnumMap;
import java.util.Map;

/**
 * What was asked of a store up to a moment.
 *
 * @param tallies one for each operation
 */
public record StoreStatistics(Map<Operation, Tally> tallies) {

    /**
     * The cost of one kind of operation.
     *
     * @param requests all that were made, failed ones included
     * @param failures those that ended in an exception
     * @param bytes    of objects that were sent or received by those that did not fail; 0 for LIST and DELETE
     */
    public record Tally(long requests, long failures, long bytes) {

        private Tally minus(Tally earlier) {
            return new Tally(requests - earlier.requests, failures - earlier.failures, bytes - earlier.bytes);
        }
    }

    public StoreStatistics {
        tallies = Map.copyOf(tallies);
    }

    public Tally of(Operation operation) {
        return tallies.get(operation);
    }

    /** The requests of all operations together. */
    public long requests() {
        return tallies.values().stream().mapToLong(Tally::requests).sum();
    }

    /** What was asked since {@code earlier}. */
    public StoreStatistics since(StoreStatistics earlier) {
        Map<Operation, Tally> difference = new EnumMap<>(Operation.class);
        tallies.forEach((operation, tally) -> difference.put(operation, tally.minus(earlier.of(operation))));
        return new StoreStatistics(difference);
    }
}
