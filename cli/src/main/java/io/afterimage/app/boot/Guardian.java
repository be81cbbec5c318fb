package io.afterimage.app.boot;

import java.io.Closeable;
import java.io.IOException;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.util.List;

/**
 * Ends a process when this one dies, in whatever way, unless it has been closed before: the kernel closes a pipe then, which a shell reads. The kernel's own way, by which other
 * machines are tied to us, cannot be undone while they run.
 */
final class Guardian implements Closeable {

    /** What ends a terminal's whole group of processes is for us to follow, not for the guardian. */
    private static final String SCRIPT = "trap '' HUP INT TERM; read -r pid && { read -r _ || kill -TERM \"$pid\"; }";

    private final Writer pipe;
    private boolean closed;

    /** One that guards nothing yet. */
    Guardian() throws IOException {
        pipe = new ProcessBuilder(List.of("sh", "-c", SCRIPT))
                .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                .redirectError(ProcessBuilder.Redirect.DISCARD)
                .start()
                .outputWriter(StandardCharsets.UTF_8);
    }

    /** From now on. */
    void guard(Process process) throws IOException {
        say(Long.toString(process.pid()));
    }

    private void say(String word) throws IOException {
        pipe.write(word + "\n");
        pipe.flush();
    }

    /** Lets the process go on without us. */
    @Override
    public synchronized void close() throws IOException {
        if (!closed) {
            closed = true;
            say("free");
        }
    }
}
