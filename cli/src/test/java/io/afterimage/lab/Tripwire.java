package io.afterimage.lab;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Locale;
import java.util.Map;

/**
 * Stops a program at a system call, by {@code cli/src/lab/tripwire.c} in its {@code LD_PRELOAD}: so a test kills it in
 * exactly the phase that it means. It goes off once, in the program or in one of its children.
 */
public final class Tripwire {
    private static final Duration PATIENCE = Duration.ofSeconds(90);

    /** On which side of the call the program stops. */
    public enum Side { BEFORE, AFTER }

    /** What is watched: a renaming to a path that contains the pattern, or a write, to a file or a socket, of bytes that do. */
    public enum Call { RENAME, WRITE }

    private final Call call;
    private final Side side;
    private final int nth;
    private final String pattern;
    private final Path armed;

    private Tripwire(Call call, Side side, int nth, String pattern) {
        this.call = call;
        this.side = side;
        this.nth = nth;
        this.pattern = pattern;
        try {
            armed = Files.createTempFile("tripwire", "");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /**
     * Made ready for one program.
     *
     * @param nth which of the calls that match, from 1
     * @param pattern text, with {@code \xHH} for any byte; alternatives separated by {@code |}
     */
    public static Tripwire at(Side side, Call call, int nth, String pattern) {
        return new Tripwire(call, side, nth, pattern);
    }

    /** For the program's environment. */
    public Map<String, String> environment() {
        return Map.of(
                "LD_PRELOAD", Lab.tripwireLibrary().toString(),
                "TRIPWIRE_AT", "%s:%s:%d:%s".formatted(lower(call), lower(side), nth, pattern),
                "TRIPWIRE_ARMED", armed.toString());
    }

    /** Whether it has gone off. */
    public boolean hasGoneOff() {
        return !Files.exists(armed);
    }

    /** Waits until the program stands still; fails when it ends without having come by. */
    public void awaitStop(Process program) {
        Deadline.in(PATIENCE).await(
                () -> (hasGoneOff() && Tool.state(program.pid()) == 'T') || !program.isAlive(),
                () -> "nothing came by at " + this);
        if (!program.isAlive()) {
            throw new IllegalStateException("the program ended with " + program.exitValue() + " and never came by at " + this);
        }
    }

    /** Lets a program that stands still go on. */
    public static void goOn(Process program) {
        Tool.run("kill", "-CONT", Long.toString(program.pid())).orFail();
    }

    private static String lower(Enum<?> constant) {
        return constant.name().toLowerCase(Locale.ROOT);
    }

    @Override
    public String toString() {
        return lower(side) + " " + lower(call) + " " + nth + " of " + pattern;
    }
}
