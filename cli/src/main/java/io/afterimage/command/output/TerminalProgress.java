package io.afterimage.command.output;

import io.afterimage.capture.Progress;
import io.afterimage.settings.ByteSize;
import java.io.Closeable;
import java.time.Duration;
import java.util.Locale;
import java.util.concurrent.atomic.AtomicLong;

/** A line on the terminal that tells how far work has come, at what rate, and how long it will take. Silent where there is no terminal. */
public final class TerminalProgress implements Progress, Closeable {

    private static final Duration PERIOD = Duration.ofMillis(200);
    private static final String CLEAR = "\r\033[K";

    private final String title;
    private final Thread painter;
    private final long begin = System.nanoTime();
    private final AtomicLong done = new AtomicLong();
    private volatile long total;

    private TerminalProgress(String title, boolean visible) {
        this.title = title;
        painter = visible ? Thread.ofVirtual().start(this::paint) : null;
    }

    @SuppressWarnings("SystemConsoleNull") // It is still null where the JDK's console is chosen away.
    public static TerminalProgress start(String title) {
        return new TerminalProgress(title, System.console() != null && System.console().isTerminal());
    }

    @Override
    public void total(long bytes) {
        total = bytes;
    }

    @Override
    public void advance(long bytes) {
        done.addAndGet(bytes);
    }

    private void paint() {
        try {
            while (true) {
                Thread.sleep(PERIOD);
                System.err.print(CLEAR + line(Math.min(done.get(), total), (System.nanoTime() - begin) / 1e9));
            }
        } catch (InterruptedException e) {
            System.err.print(CLEAR);
        }
    }

    private String line(long bytes, double seconds) {
        double rate = bytes / seconds;
        String left = rate > 0 ? String.format(Locale.ROOT, ", %.0f s left", (total - bytes) / rate) : "";
        return title + ": " + ByteSize.format(bytes) + " of " + ByteSize.format(total) + ", " + ByteSize.format((long) rate) + "/s" + left;
    }

    /** Removes the line. */
    @Override
    public void close() {
        if (painter != null) {
            painter.interrupt();
            try {
                painter.join();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }
    }
}
