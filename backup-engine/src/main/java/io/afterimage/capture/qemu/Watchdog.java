package io.afterimage.capture.qemu;

import io.afterimage.capture.agent.AgentException;
import io.afterimage.capture.agent.Freezer;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Base64;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A small process that outlives a backup which is killed: it takes the cut out of QEMU, so that a full scratch cannot stop the
 * guest hours later. It is told on its standard input how the backup fares; the end of the input without {@code done} means that
 * the backup is dead.
 *
 * <p>It also holds the guest agent while the guest is frozen, so that the thaw depends on nobody else: it comes when the backup asks
 * for it, when the backup dies, and when the time is over though the backup lives, or stands still.
 *
 * <p>It may be killed as well: then the backup thaws the guest, and the next backup does the rest ({@link Strays}).
 */
public final class Watchdog {

    static final String READY = "ready";
    static final String COMMITTING = "committing";
    static final String DONE = "done";

    /** {@code freeze MILLISECONDS AGENT}; answered by {@code frozen N}, or {@link #REFUSED} and a sentence. */
    static final String FREEZE = "freeze ";
    static final String FROZEN = "frozen ";
    /** Answered by {@link #THAWED}, or {@link #REFUSED} and a sentence when the guest was not frozen all the time. */
    static final String THAW = "thaw";
    static final String THAWED = "thawed";
    static final String REFUSED = "refused ";
    /** Like {@link #REFUSED}, and the guest may still be frozen. */
    static final String STUCK = "stuck ";

    /** {@code owed MILLISECONDS COMMAND}, in Base64: a command of the user's that is to be run if the backup dies before {@link #PAID}. */
    static final String OWED = "owed ";
    static final String PAID = "paid";

    private static final Pattern TIMED = Pattern.compile("\\w+ (\\d+) (.*)");

    private final Duties duties;
    private Optional<FrozenGuest> frozen = Optional.empty();
    private Optional<HostCommand> owed = Optional.empty();
    private boolean committing;

    private Watchdog(Duties duties) {
        this.duties = duties;
    }

    /** What is to be done for a machine of the one kind or the other. */
    public interface Duties {

        /**
         * By what the guest is frozen.
         *
         * @param agent as the backup has named it
         */
        Freezer.Connector guest(String agent);

        /** The guest that may have been frozen is not. */
        void thawed() throws IOException;

        /**
         * Takes the cut of a dead backup down.
         *
         * @param committing whether its point may be there, so that the checkpoint is to stay
         */
        void cleanUp(boolean committing) throws IOException;
    }

    /** Returns when the backup is over, and what it has left behind is done. */
    public static void run(Duties duties) throws IOException {
        System.out.println(READY);
        new Watchdog(duties).listen();
    }

    private void listen() throws IOException {
        try (var input = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8))) {
            for (String line = input.readLine(); !DONE.equals(line); line = input.readLine()) {
                if (line == null) {
                    inherit();
                    return;
                }
                obey(line);
            }
        }
    }

    private void obey(String line) {
        Matcher timed = TIMED.matcher(line);
        if (line.equals(COMMITTING)) {
            committing = true;
        } else if (line.equals(THAW)) {
            say(thaw());
        } else if (line.equals(PAID)) {
            owed = Optional.empty();
        } else if (timed.matches() && line.startsWith(FREEZE)) {
            say(freeze(timed.group(2), Duration.ofMillis(Long.parseLong(timed.group(1)))));
        } else if (timed.matches() && line.startsWith(OWED)) {
            String command = new String(Base64.getDecoder().decode(timed.group(2)), StandardCharsets.UTF_8);
            owed = Optional.of(new HostCommand(command, Duration.ofMillis(Long.parseLong(timed.group(1)))));
        }
    }

    private static void say(String line) {
        System.out.println(line.replaceAll("\\R", " "));
    }

    private String freeze(String agent, Duration limit) {
        try {
            FrozenGuest guest = FrozenGuest.freeze(duties.guest(agent), limit);
            frozen = Optional.of(guest);
            return FROZEN + guest.count();
        } catch (IOException | RuntimeException e) {
            return refusal(e);
        }
    }

    private static String refusal(Exception e) {
        return (e instanceof AgentException known && known.isStuck() ? STUCK : REFUSED) + e.getMessage();
    }

    private String thaw() {
        try {
            if (frozen.isPresent()) {
                frozen.get().thaw();
            }
            return THAWED;
        } catch (IOException | RuntimeException e) {
            return refusal(e);
        } finally {
            frozen = Optional.empty();
        }
    }

    /** The backup is dead. */
    private void inherit() throws IOException {
        if (frozen.isPresent() && !thaw().startsWith(STUCK)) {
            duties.thawed();
        }
        try {
            if (owed.isPresent()) {
                owed.get().run();
            }
        } finally {
            duties.cleanUp(committing);
        }
    }
}
