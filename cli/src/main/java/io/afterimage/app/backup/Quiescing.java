package io.afterimage.app.backup;

import io.afterimage.capture.qemu.HostCommand;
import java.time.Duration;
import java.util.Optional;

/**
 * What is done for the sake of what runs in the guests, before disks are cut and after.
 *
 * @param mode whether the guests' agents are to freeze their file systems
 * @param limit how long a guest may stand still for it
 * @param pre run on this host before all else; when it fails, there is no backup
 * @param post run on this host as soon as the disks are cut and the guests go on, or when that failed; by the watchdog when we are dead
 */
public record Quiescing(Mode mode, Duration limit, Optional<HostCommand> pre, Optional<HostCommand> post) {

    /** What a guest that cannot be frozen means. */
    public enum Mode {
        /** No point. */
        REQUIRED,
        /** A point that is crash-consistent, and says why. */
        PREFERRED,
        /** Nothing: no agent is asked. */
        OFF
    }

    public static final Duration DEFAULT_LIMIT = Duration.ofSeconds(30);

    /** Guests are not asked. */
    public static final Quiescing NONE = new Quiescing(Mode.OFF, DEFAULT_LIMIT, Optional.empty(), Optional.empty());
}
