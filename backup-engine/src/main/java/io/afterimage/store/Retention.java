package io.afterimage.store;

import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Objects;

/**
 * How long a store must keep an object as it is, and who could still change its mind: S3's object lock.
 *
 * @param until the object can be deleted from this instant on; whole seconds, as finely as every store keeps it
 */
public record Retention(Mode mode, Instant until) {

    /** From the weaker to the stronger. */
    public enum Mode {
        /** Whoever has a permission of its own ({@code s3:BypassGovernanceRetention}) can end it early. */
        GOVERNANCE,
        /** Nobody can end it early, not the owner of the bucket either. */
        COMPLIANCE
    }

    public Retention {
        Objects.requireNonNull(mode);
        until = until.truncatedTo(ChronoUnit.SECONDS);
    }

    /** Whether an object under this retention is kept at least as long, and as strictly, as one under the other. */
    public boolean covers(Retention other) {
        return mode.compareTo(other.mode) >= 0 && !until.isBefore(other.until);
    }

    /** The weakest retention that covers both. */
    public Retention with(Retention other) {
        return new Retention(mode.compareTo(other.mode) >= 0 ? mode : other.mode, until.isAfter(other.until) ? until : other.until);
    }
}
