package io.afterimage.capture.qemu;

import java.io.File;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * A command of the user's, run by the shell on this host, for a limited time. What it prints goes to standard error.
 *
 * @param command one line of shell
 * @param limit after which it is killed, with all the processes that it has started and not let go
 */
public record HostCommand(String command, Duration limit) {

    private static final File NOTHING = new File("/dev/null");

    /** Runs it to its end; throws one sentence when it fails, or the time is over. */
    public void run() throws IOException {
        // Standard output belongs to results.
        Process process = new ProcessBuilder(List.of("sh", "-c", "exec sh -c \"$1\" >&2", "sh", command))
                .inheritIO()
                .redirectInput(NOTHING)
                .start();
        try {
            if (!process.waitFor(limit.toMillis(), TimeUnit.MILLISECONDS)) {
                throw new IOException("The command '" + command + "' did not end within " + limit.toSeconds() + " s, and was killed");
            }
            if (process.exitValue() != 0) {
                throw new IOException("The command '" + command + "' failed with exit code " + process.exitValue());
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted while the command '" + command + "' ran", e);
        } finally {
            process.descendants().forEach(ProcessHandle::destroyForcibly);
            process.destroyForcibly();
        }
    }
}
