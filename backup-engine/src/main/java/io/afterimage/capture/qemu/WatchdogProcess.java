package io.afterimage.capture.qemu;

import java.io.IOException;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The backup's end of the pipe to its {@link Watchdog}. When the backup dies, the kernel closes it, and that is the message. */
final class WatchdogProcess {

    private static final Logger LOG = LoggerFactory.getLogger(WatchdogProcess.class);
    private static final int READY_SECONDS = 20;

    private final Process process;

    private WatchdogProcess(Process process) {
        this.process = process;
    }

    static WatchdogProcess start(Path qmpSocket, Path folder, Checkpoint checkpoint) throws IOException {
        // What ends a whole group of processes at once (a terminal's ^C, a service's stop) shall end the backup and not its
        // watchdog; the JVM leaves signals alone that are ignored when it starts.
        Process process = new ProcessBuilder(List.of(
                        "sh", "-c", "trap '' HUP INT TERM; exec \"$@\"", "sh",
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-Xmx32m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1",
                        "-cp", System.getProperty("java.class.path"),
                        Watchdog.class.getName(),
                        qmpSocket.toAbsolutePath().toString(), folder.toString(), checkpoint.bitmapName()))
                .redirectError(ProcessBuilder.Redirect.DISCARD)
                .start();
        return new WatchdogProcess(process);
    }

    /**
     * Waits until it runs, so that it cannot be missed. A backup goes on without one: the next does the same work, only later.
     */
    void awaitReady() {
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

    void committing() {
        say(Watchdog.COMMITTING);
    }

    /** @param clean whether nothing is left to do; otherwise the watchdog tries its luck with a connection of its own */
    void end(boolean clean) throws IOException {
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
}
