package io.afterimage.capture.libvirt;

import io.afterimage.capture.qemu.ScratchFolder;
import java.io.Closeable;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/**
 * Watches a cut while it is read, and gives it up before it harms the guest or tells a lie: when the scratch runs out of space, when
 * the guest was stopped because it did, when the job or the machine is ended by somebody else. It asks four times a second: an event
 * of libvirt's may be lost with the connection, and what it tells is a state that can be asked for.
 */
final class LibvirtGuard implements Closeable {

    private static final Duration LOOK_AGAIN = Duration.ofMillis(250);
    private static final int LOOKS_BEFORE_BLAMING_OTHERS = 8;

    private final LibvirtDomain domain;
    private final LibvirtCutPlan plan;
    private final ScratchFolder folder;
    private final Runnable giveUp;
    private final CountDownLatch over = new CountDownLatch(1);
    private volatile String reason = "";

    /** @param giveUp takes the cut out of libvirt; called at most once, by the guard's thread */
    LibvirtGuard(LibvirtCutPlan plan, ScratchFolder folder, Runnable giveUp) {
        this.domain = plan.machine().domain();
        this.plan = plan;
        this.folder = folder;
        this.giveUp = giveUp;
    }

    void start() {
        // An own thread of the system's: libvirt tells the reason of a failure to the thread that called.
        Thread.ofPlatform().name("libvirt-guard").daemon().start(this::watch);
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

    /** Why the view no longer shows the disks as they were at the cut, if so. */
    Optional<String> broken() throws LibvirtException {
        // libvirt ends the job of a machine that dies before it says that the machine is dead.
        int looks = 0;
        do {
            Optional<String> end = endOfGuest();
            if (end.isPresent() || new CutEnd(domain, folder.path()).isUnderWay()) {
                return end;
            }
        } while (++looks < LOOKS_BEFORE_BLAMING_OTHERS && !isOverBeforeNextLook());
        return Optional.of("Another program ended the backup job of " + domain.name()
                + ", by which the disks' contents were held, or the machine was started anew");
    }

    private Optional<String> endOfGuest() throws LibvirtException {
        DomainState state = domain.state();
        if (!state.isActive()) {
            return Optional.of("The machine " + domain.name() + (state == DomainState.CRASHED ? " crashed" : " was shut down")
                    + " during the backup, and its disks are no longer held as they were: back it up again when it runs");
        }
        return state == DomainState.STOPPED_BY_IO_ERROR && domain.lacksSpace()
                ? Optional.of("The guest overwrote more during the backup than the scratch space in " + folder.path()
                        + " can keep, or its own storage is full, and was stopped by it; it goes on now: choose a larger place for scratch")
                : Optional.empty();
    }

    private boolean isOverBeforeNextLook() {
        try {
            return over.await(LOOK_AGAIN.toMillis(), TimeUnit.MILLISECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return true;
        }
    }

    /** From now on whatever happens to the cut is our own doing. */
    @Override
    public void close() {
        over.countDown();
    }

    private void watch() {
        try {
            while (!isOverBeforeNextLook()) {
                Optional<String> verdict = shortOfSpace().or(this::trouble);
                if (verdict.isPresent() && over.getCount() > 0) {
                    reason = verdict.get();
                    giveUp.run();
                    return;
                }
            }
        } catch (RuntimeException e) { // a guard that dies in silence would be worse than none
            reason = "The backup is no longer watched over: " + e.getMessage();
            giveUp.run();
        }
    }

    private Optional<String> trouble() {
        try {
            return broken();
        } catch (LibvirtException e) {
            return Optional.of("The backup lost its hold on libvirt: " + e.getMessage());
        }
    }
}
