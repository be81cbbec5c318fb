package io.afterimage.nbd;

import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.locks.LockSupport;

/** Waits for what comes to pass elsewhere. */
public final class Await {

    private static final Duration PATIENCE = Duration.ofSeconds(30);

    /** Something that becomes true. */
    public interface Condition {
        boolean holds() throws IOException;
    }

    private Await() {}

    public static void until(String what, Condition condition) throws IOException, InterruptedException {
        long deadline = System.nanoTime() + PATIENCE.toNanos();
        while (!condition.holds()) {
            if (Thread.interrupted()) {
                throw new InterruptedException();
            }
            if (System.nanoTime() > deadline) {
                throw new AssertionError("waited " + PATIENCE + " in vain for " + what);
            }
            LockSupport.parkNanos(Duration.ofMillis(2).toNanos());
        }
    }
}
