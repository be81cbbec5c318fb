package io.afterimage.capture.qemu;

import io.afterimage.capture.agent.AgentException;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The backup's end of the pipe to its {@link Watchdog}. When the backup dies, the kernel closes it, and that is the message. */
public final class WatchdogProcess {

    private static final Logger LOG = LoggerFactory.getLogger(WatchdogProcess.class);
    private static final Duration READY_LIMIT = Duration.ofSeconds(20);
    /** What it may take longer than it should on a busy machine. */
    private static final Duration GRACE = Duration.ofSeconds(10);
    private static final String ENDED = "";

    private final Process process;
    private final BlockingQueue<String> answers = new LinkedBlockingQueue<>();
    private volatile boolean ready;

    private WatchdogProcess(Process process) {
        this.process = process;
        Thread.ofVirtual().name("watchdog-reader").start(this::readAll);
    }

    /**
     * Starts a program on this one's class path.
     *
     * @param main it calls {@link Watchdog#run}
     */
    public static WatchdogProcess start(Class<?> main, List<String> arguments) throws IOException {
        // What ends a whole group of processes at once (a terminal's ^C, a service's stop) shall end the backup and not its
        // watchdog; the JVM leaves signals alone that are ignored when it starts.
        List<String> command = new ArrayList<>(List.of(
                "sh", "-c", "trap '' HUP INT TERM; exec \"$@\"", "sh",
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx32m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1",
                "-cp", System.getProperty("java.class.path"),
                main.getName()));
        command.addAll(arguments);
        return new WatchdogProcess(new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.DISCARD).start());
    }

    /**
     * Waits until it runs, so that it cannot be missed. A backup goes on without one: the next does the same work, only later.
     */
    public void awaitReady() {
        Optional<String> answer = answer(READY_LIMIT);
        ready = answer.filter(Watchdog.READY::equals).isPresent();
        if (!ready) {
            LOG.warn("The backup's watchdog did not start{}", process.isAlive() ? "" : " (exit code " + process.exitValue() + ")");
        }
    }

    /** From now on whether the point is there is for the repository to say. */
    public void committing() {
        say(Watchdog.COMMITTING);
    }

    /** From now on until {@link #paid} the command is run when the backup dies. */
    public void owed(HostCommand command) {
        String text = Base64.getEncoder().encodeToString(command.command().getBytes(StandardCharsets.UTF_8));
        say(Watchdog.OWED + command.limit().toMillis() + " " + text);
    }

    /** Whoever owed a command has run it. */
    public void paid() {
        say(Watchdog.PAID);
    }

    /** Whether it lives, as far as it has been spoken to. */
    boolean isReady() {
        return ready;
    }

    /**
     * Has the guest's file systems frozen.
     *
     * @param agent as {@link Watchdog.Duties#guest} understands it
     * @return how many are
     * @throws AgentException none is, as far as it could be seen to
     */
    public int freeze(String agent, Duration limit) throws AgentException {
        if (!ready) {
            throw new AgentException("the watchdog that would thaw the guest after our death did not start");
        }
        say(Watchdog.FREEZE + limit.toMillis() + " " + agent);
        String answer = answer(limit.plus(FrozenGuest.THAW_LIMIT).plus(GRACE)).orElseThrow(this::silence);
        if (!answer.startsWith(Watchdog.FROZEN)) {
            throw refusal(answer);
        }
        return Integer.parseInt(withoutWord(answer));
    }

    /** Has the guest thawed; throws when it was not frozen until now, or may still be. */
    public void thaw() throws AgentException {
        say(Watchdog.THAW);
        String answer = answer(FrozenGuest.THAW_LIMIT.multipliedBy(2).plus(GRACE)).orElseThrow(this::silence);
        if (!answer.equals(Watchdog.THAWED)) {
            throw refusal(answer);
        }
    }

    private static String withoutWord(String answer) {
        return answer.substring(answer.indexOf(' ') + 1);
    }

    private static AgentException refusal(String answer) {
        return answer.startsWith(Watchdog.STUCK) ? AgentException.stuck(withoutWord(answer), null) : new AgentException(withoutWord(answer));
    }

    /** One that does not answer would hold the agent: without it, its connection is free for us. */
    private AgentException silence() {
        process.destroyForcibly();
        ready = false;
        return AgentException.stuck("the watchdog that had the guest frozen has died", null);
    }

    /**
     * Lets it go.
     *
     * @param clean whether nothing is left to do; otherwise the watchdog tries its luck with a connection of its own
     */
    public void end(boolean clean) throws IOException {
        if (clean) {
            say(Watchdog.DONE);
        }
        process.getOutputStream().close();
    }

    private void say(String word) {
        try {
            Writer writer = process.outputWriter(StandardCharsets.UTF_8);
            writer.write(word + "\n");
            writer.flush();
        } catch (IOException e) {
            LOG.warn("The backup's watchdog has died: {}", e.getMessage());
        }
    }

    /** What it says next; empty when it is silent, or has ended. */
    private Optional<String> answer(Duration limit) {
        try {
            String line = answers.poll(limit.toMillis(), TimeUnit.MILLISECONDS);
            if (ENDED.equals(line)) {
                answers.add(ENDED);
            }
            return Optional.ofNullable(line).filter(text -> !text.equals(ENDED));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return Optional.empty();
        }
    }

    private void readAll() {
        try (BufferedReader reader = process.inputReader(StandardCharsets.UTF_8)) {
            for (String line = reader.readLine(); line != null; line = reader.readLine()) {
                answers.add(line);
            }
        } catch (IOException e) {
            LOG.debug("The backup's watchdog is no longer heard", e);
        } finally {
            answers.add(ENDED);
        }
    }
}
