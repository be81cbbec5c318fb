package io.afterimage.app.backup;

import io.afterimage.app.SourceException;
import io.afterimage.capture.Pace;
import io.afterimage.settings.ByteSize;
import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A file that holds a {@link Pace} and may be changed while it is in force: a line {@code rate SIZE}, a line {@code requests N};
 * what is not there, or 0, is not limited, and {@code #} begins a comment. It is read rather than its times compared: an editor
 * may keep those.
 */
public final class LimitsFile implements Closeable {

    private static final Logger LOG = LoggerFactory.getLogger(LimitsFile.class);
    private static final long LOOK_AGAIN_MILLIS = 500;

    private final Path file;
    private final Pace pace;
    private final CountDownLatch closed = new CountDownLatch(1);
    private List<String> inForce;

    private LimitsFile(Path file, Pace pace) {
        this.file = file;
        this.pace = pace;
    }

    /** Puts the file's limits into force, and goes on to do so until closed. A file that makes no sense at first is refused, later it is passed over. */
    public static LimitsFile watch(Path file, Pace pace) throws IOException {
        var limits = new LimitsFile(file, pace);
        limits.look();
        Thread.ofVirtual().name("limits-file").start(limits::lookAgain);
        return limits;
    }

    private void lookAgain() {
        String said = "";
        try {
            while (!closed.await(LOOK_AGAIN_MILLIS, TimeUnit.MILLISECONDS)) {
                try {
                    look();
                } catch (IOException | IllegalArgumentException e) {
                    if (!said.equals(e.getMessage())) {
                        LOG.warn("The limits stay as they are: {}", e.getMessage());
                        said = e.getMessage();
                    }
                }
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void look() throws IOException {
        List<String> lines;
        try {
            lines = Files.readAllLines(file);
        } catch (IOException e) {
            throw new SourceException("The limits file " + file + " cannot be read (" + e + "): name one that can.", e);
        }
        if (!lines.equals(inForce)) {
            put(lines);
            inForce = lines;
        }
    }

    private void put(List<String> lines) {
        long rate = 0;
        int requests = 0;
        for (String line : lines) {
            String text = line.replaceFirst("#.*", "").strip();
            String value = text.substring(text.indexOf(' ') + 1).strip();
            if (text.startsWith("rate ")) {
                rate = ByteSize.parse(value);
            } else if (text.startsWith("requests ")) {
                requests = number(value);
            } else if (!text.isEmpty()) {
                throw refusal(line);
            }
        }
        pace.set(rate, requests);
    }

    private int number(String text) {
        try {
            return Integer.parseInt(text);
        } catch (NumberFormatException e) {
            throw refusal(text);
        }
    }

    private IllegalArgumentException refusal(String text) {
        return new IllegalArgumentException("'" + text + "' in " + file + " is no limit: write 'rate SIZE' and 'requests N', a line each.");
    }

    @Override
    public void close() {
        closed.countDown();
    }
}
