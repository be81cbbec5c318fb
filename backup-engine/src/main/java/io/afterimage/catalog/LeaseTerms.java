package io.afterimage.catalog;

import java.time.Duration;

/**
 * How long leases last.
 *
 * @param life for which a lease is good unless it is renewed
 * @param margin how long after a lease has expired, or its holder was seen to be dead, its holder's last request may still take
 *     effect; the clocks of hosts may differ by as much. Garbage collection takes a lease for alive up to then
 */
public record LeaseTerms(Duration life, Duration margin) {

    /** By how much a host's clock may differ from the store's before its user is told. */
    static final Duration CLOCKS = Duration.ofMinutes(5);

    /**
     * Two minutes, and a quarter of an hour; for tests of whole programs the system properties {@code afterimage.lease.life} and
     * {@code afterimage.lease.margin} (ISO-8601) say otherwise. All who use a repository must have the same.
     */
    public static final LeaseTerms DEFAULT = new LeaseTerms(
            Duration.parse(System.getProperty("afterimage.lease.life", "PT2M")),
            Duration.parse(System.getProperty("afterimage.lease.margin", "PT15M")));

    public LeaseTerms {
        if (!life.isPositive() || margin.isNegative()) {
            throw new IllegalArgumentException("not terms of a lease: " + life + ", " + margin);
        }
    }
}
