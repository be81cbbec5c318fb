package io.afterimage.capture;

import java.util.Optional;

/**
 * How much of a backup a guest may feel.
 *
 * @param factor by how many times the guest's reads and writes may take longer than without being read; more than 1, or 0 for as long as they like
 * @param leastRate bytes per second at which the backup goes on in any case
 */
public record Yielding(double factor, long leastRate) {

    /** Does not care. */
    public static final Yielding NOT = new Yielding(0, 0);

    public Yielding {
        if (factor != 0 && !(factor > 1 && leastRate > 0)) {
            throw new IllegalArgumentException("A guest cannot be yielded to by a factor of " + factor + ", down to " + leastRate + " bytes/s.");
        }
    }

    /** The rate for one guest, if it is to have one. */
    Optional<YieldingRate> rate() {
        return factor == 0 ? Optional.empty() : Optional.of(new YieldingRate(this));
    }
}
