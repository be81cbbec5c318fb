package io.afterimage.catalog;

import com.fasterxml.jackson.annotation.JsonInclude;
import java.util.Objects;
import java.util.Optional;

/**
 * What the guest knew of the instant that a point shows.
 *
 * @param level how much it had a part in it
 * @param reason why it is not more, though more was preferred; one clause
 */
public record Consistency(Level level, @JsonInclude(JsonInclude.Include.NON_ABSENT) Optional<String> reason) {

    /** From the weaker to the stronger. */
    public enum Level {
        /** Nothing: the disks are as a power cut would have left them. */
        CRASH("crash-consistent"),
        /** Its agent had flushed and frozen all file systems, its own hooks run before. */
        FILE_SYSTEM("file systems frozen");

        private final String words;

        Level(String words) {
            this.words = words;
        }

        /** For people. */
        public String words() {
            return words;
        }
    }

    public static final Consistency FILE_SYSTEM = new Consistency(Level.FILE_SYSTEM, Optional.empty());

    public Consistency {
        Objects.requireNonNull(level);
        reason = reason == null ? Optional.empty() : reason;
    }

    /** Crash-consistent, though the guest was asked. */
    public static Consistency crash(String reason) {
        return new Consistency(Level.CRASH, Optional.of(reason));
    }
}
