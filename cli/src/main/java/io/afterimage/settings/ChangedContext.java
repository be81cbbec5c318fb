package io.afterimage.settings;

import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The NBD metadata context in which a server tells what has changed, by flag 1, as whoever names it vouches.
 *
 * @param name such as {@code qemu:dirty-bitmap:daily}
 * @param since the point that it counts from, as in a selector: {@code latest}, the beginning of an id, or an instant
 */
public record ChangedContext(String name, String since) {

    /** Contexts that bear the point's whole id. */
    private static final Pattern WITH_POINT =
            Pattern.compile("(?:x-afterimage:changed-since/|qemu:dirty-bitmap:afterimage-[0-9a-f]{8}-)([0-9a-f]{32})");

    /**
     * Puts the two options together.
     *
     * @throws IllegalArgumentException with a sentence, if it is not said since when the context counts
     */
    public static ChangedContext of(String name, Optional<String> since) {
        Matcher point = WITH_POINT.matcher(name);
        if (since.isEmpty() && !point.matches()) {
            throw new IllegalArgumentException("It is not said since which point the context '" + name
                    + "' counts: add --changed-since POINT, such as the id that 'afterimage list' shows.");
        }
        return new ChangedContext(name, since.orElseGet(() -> point.group(1)));
    }
}
