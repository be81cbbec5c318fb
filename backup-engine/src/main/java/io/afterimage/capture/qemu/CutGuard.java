package io.afterimage.capture.qemu;

import java.io.Closeable;
import java.io.IOException;
import java.time.Duration;
import java.util.HashSet;
import java.util.Optional;
import java.util.Set;

/**
 * Watches a cut while it is read, and gives it up before it harms the guest or tells a lie.
 *
 * <ul>
 *   <li>The scratch runs out of space: what the guest overwrites cannot be kept, so its write fails with ENOSPC and, by QEMU's
 *       default, the guest is stopped. The reserve is there to end the cut before that; if the guest was quicker, it is resumed.
 *   <li>A backup job ends by another's hand: from then on the view shows the live disk.
 *   <li>QEMU, or the connection to it, ends.
 * </ul>
 *
 * Other I/O errors of the guest's disks are the guest's: a failing disk must still be backed up.
 */
final class CutGuard implements Closeable {

    private static final Duration LOOK_AGAIN = Duration.ofMillis(250);
    private static final Duration STOP_TIMEOUT = Duration.ofSeconds(5);

    private final QmpClient client;
    private final CutPlan plan;
    private final ScratchFolder folder;
    private final Runnable giveUp;
    private final QmpEvents events;
    private final Set<String> jobs = new HashSet<>();
    private final Set<String> guestFacing = new HashSet<>();
    private volatile boolean over;
    private volatile String reason = "";

    /** @param giveUp takes the cut out of QEMU; called at most once, by the guard's thread */
    CutGuard(QmpClient client, CutPlan plan, ScratchFolder folder, Runnable giveUp) {
        this.client = client;
        this.plan = plan;
        this.folder = folder;
        this.giveUp = giveUp;
        CutNames names = CutNames.of(plan.checkpoint().pointId());
        for (int i = 0; i < plan.disks().size(); i++) {
            jobs.add(names.backupJob(i));
            guestFacing.add(names.filter(i));
            guestFacing.add(plan.disks().get(i).disk().topNode());
        }
        this.events = client.subscribe(
                event -> event.name().equals("BLOCK_IO_ERROR") || event.name().equals("JOB_STATUS_CHANGE"));
    }

    void start() {
        Thread.ofVirtual().name("cut-guard").start(this::watch);
    }

    /** Why the cut was given up; "" while it holds. */
    String reason() {
        return reason;
    }

    /** Whether there is less space than the plan wants left free; then the sentence that says so. */
    Optional<String> shortOfSpace() {
        long free = folder.freeBytes();
        return free >= plan.scratchReserve() ? Optional.empty() : Optional.of(
                "The scratch space in " + folder.path() + " is running out (" + free + " bytes are free, " + plan.scratchReserve()
                        + " are kept in reserve for the guest): choose a larger place for scratch, or back up when the guest writes less");
    }

    /** From now on whatever happens to the cut is our own doing. */
    @Override
    public void close() {
        over = true;
        events.close();
    }

    private void watch() {
        try {
            while (!over) {
                Optional<QmpEvent> event = events.poll(LOOK_AGAIN);
                Optional<String> verdict = event.isPresent() ? judge(event.get()) : shortOfSpace();
                if (verdict.isPresent() && !over) {
                    reason = verdict.get();
                    giveUp.run();
                    return;
                }
            }
        } catch (IOException | RuntimeException e) { // a guard that dies in silence would be worse than none
            if (!over) {
                reason = "The backup lost its hold on QEMU: " + e.getMessage();
                giveUp.run();
            }
        }
    }

    private Optional<String> judge(QmpEvent event) {
        if (event.name().equals("JOB_STATUS_CHANGE")) {
            return jobs.contains(event.text("id")) && Set.of("aborting", "concluded", "null").contains(event.text("status"))
                    ? Optional.of("Another program ended the job " + event.text("id") + " in QEMU, by which the disk's contents were held")
                    : Optional.empty();
        }
        boolean ours = event.data().path("nospace").asBoolean(false)
                && event.text("operation").equals("write")
                && guestFacing.contains(event.text("node-name"));
        if (!ours) {
            return Optional.empty();
        }
        boolean stops = event.text("action").equals("stop");
        if (stops) {
            awaitStop();
        }
        return Optional.of("The guest overwrote more during the backup than the scratch space in " + folder.path() + " can keep, and "
                + (stops ? "was stopped by it; it goes on now" : "one of its writes failed") + ": choose a larger place for scratch");
    }

    /** The event comes before the stop; only a guest that stands still can be told to go on. */
    private void awaitStop() {
        try {
            client.awaitState("stop the guest", STOP_TIMEOUT,
                    () -> client.execute("query-status").path("status").asString("").equals("io-error"));
        } catch (IOException e) {
            // Somebody else was quicker to resume or stop it; the teardown looks at the state itself.
        }
    }
}
