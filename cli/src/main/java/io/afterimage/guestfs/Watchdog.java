package io.afterimage.guestfs;

import io.afterimage.guestfs.GuestException.Reason;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;

/**
 * Kills an appliance that does not answer: a call of the library cannot be interrupted, but it returns with an error when its QEMU is
 * gone. Thread-safe.
 */
final class Watchdog implements AutoCloseable {

    private final Duration patience;
    private final Path folder;
    private final ScheduledThreadPoolExecutor timer;
    private volatile boolean timedOut;

    /** @param folder the appliance's own: what runs with files in it is the appliance */
    Watchdog(Duration patience, Path folder) {
        this.patience = patience;
        this.folder = folder;
        timer = new ScheduledThreadPoolExecutor(1, Thread.ofPlatform().daemon().name("appliance-watchdog").factory());
        timer.setRemoveOnCancelPolicy(true);
    }

    /** While something is asked. */
    interface Watch extends AutoCloseable {
        @Override
        void close();
    }

    Watch watch() {
        ScheduledFuture<?> bite = timer.schedule(this::timeOut, patience.toMillis(), TimeUnit.MILLISECONDS);
        return () -> bite.cancel(false);
    }

    private void timeOut() {
        timedOut = true;
        bite();
    }

    /** Kills it now. */
    void bite() {
        bite(folder);
    }

    /** Kills what runs with files in that folder. */
    static void bite(Path folder) {
        ProcessHandle.current().descendants().filter(process -> isOfTheAppliance(process, folder)).forEach(ProcessHandle::destroyForcibly);
    }

    private static boolean isOfTheAppliance(ProcessHandle process, Path folder) {
        try {
            byte[] command = Files.readAllBytes(Path.of("/proc", String.valueOf(process.pid()), "cmdline"));
            return new String(command, StandardCharsets.UTF_8).contains(folder.toString());
        } catch (IOException _) {
            // It has ended by itself.
            return false;
        }
    }

    boolean hasTimedOut() {
        return timedOut;
    }

    GuestException exception(String subject, Throwable cause) {
        return new GuestException(
                Reason.ENDED,
                "The appliance that reads the guest's files did not answer within " + patience.toSeconds() + " s at " + subject
                        + " and was ended: the file system there may be damaged or hostile, or the store slow; --timeout gives it more time.",
                cause);
    }

    @Override
    public void close() {
        timer.shutdownNow();
    }
}
