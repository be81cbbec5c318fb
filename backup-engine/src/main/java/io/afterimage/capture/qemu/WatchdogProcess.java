package io.afterimage.capture.qemu;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The backup's end of the pipe to its {@link Watchdog}. When the backup dies, the kernel closes it, and that is the message. */
public final class WatchdogProcess {

    private static final Logger LOG = LoggerFactory.getLogger(WatchdogProcess.class);
    private static final int READY_SECONDS = 20;

    private final Process process;

    private WatchdogProcess(Process process) {
        this.process = process;
    }

    static WatchdogProcess start(Path qmpSocket, Path folder, Checkpoint checkpoint) throws IOException {
        return start(Watchdog.class, List.of(qmpSocket.toAbsolutePath().toString(), folder.toString(), checkpoint.bitmapName()));
    }

    /**
     * Starts a program on this one's class path.
     *
     * @param main it calls {@link #watch}
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
        var ready = new CompletableFuture<String>();
        Thread.ofVirtual().start(() -> {
            try {
                ready.complete(process.inputReader(StandardCharsets.UTF_8).readLine());
            } catch (IOException e) {
                ready.completeExceptionally(e);
            }
        });
        try {
            if (!Watchdog.READY.equals(ready.get(READY_SECONDS, TimeUnit.SECONDS))) {
                LOG.warn("The backup's watchdog did not start (exit code {})", process.waitFor());
            }
        } catch (TimeoutException | ExecutionException e) {
            LOG.warn("The backup's watchdog did not start", e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** From now on whether the point is there is for the repository to say. */
    public void committing() {
        say(Watchdog.COMMITTING);
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

    /** How a backup fared, as far as its watchdog can know. */
    public enum Fate {
        /** It has ended, well or not, and has cleared up after itself. */
        DONE,
        /** It died before it began to commit its point. */
        DEAD,
        /** It died while it was committing its point, or thereafter. */
        DEAD_IN_COMMIT
    }

    /** The watchdog's own side: returns when the backup is over, of which its standard input tells. */
    public static Fate watch() throws IOException {
        System.out.println(Watchdog.READY);
        Fate ifDead = Fate.DEAD;
        try (BufferedReader input = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8))) {
            for (String line = input.readLine(); line != null; line = input.readLine()) {
                if (line.equals(Watchdog.DONE)) {
                    return Fate.DONE;
                }
                if (line.equals(Watchdog.COMMITTING)) {
                    ifDead = Fate.DEAD_IN_COMMIT;
                }
            }
        }
        return ifDead;
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
}
