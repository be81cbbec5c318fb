package io.afterimage.capture.qemu;

import io.afterimage.capture.GuestLoad;
import io.afterimage.capture.agent.AgentException;
import java.io.Closeable;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The disks of a running machine as they were at one instant, held by whoever runs it while the guest goes on writing: what does not depend on
 * who that is, and above all the order in which a cut ends.
 *
 * <p>Whatever is not ended, by {@link #end} or {@link #close}, or by a kill of this process, loses no change. Thread-safe.
 */
public abstract class HeldCut implements Closeable {

    private static final Logger LOG = LoggerFactory.getLogger(HeldCut.class);

    private final Checkpoint checkpoint;
    private final ScratchFolder folder;
    private final WatchdogProcess watchdog;
    private volatile long before;
    private volatile long after;
    private volatile Instant time = Instant.EPOCH;
    /** Null until it is asked for. */
    private Optional<QemuProcess> process;
    private boolean frozen;
    private boolean ended;

    /** What became of the point. */
    public enum Outcome {
        /** The repository lists it: its checkpoint stays, older ones of these disks go. */
        COMMITTED,
        /** It does not and will not exist: its checkpoint goes, older ones stay. */
        FAILED,
        /** The commit may or may not have happened: both stay, and the next backup decides by what the repository lists. */
        UNKNOWN
    }

    /** @param watchdog and {@code folder}: the cut's own, which end with it */
    protected HeldCut(Checkpoint checkpoint, ScratchFolder folder, WatchdogProcess watchdog) {
        this.checkpoint = checkpoint;
        this.folder = folder;
        this.watchdog = watchdog;
    }

    /** Throws the reason why the cut no longer shows the disks as they were, if there is one. */
    public abstract void requireIntact() throws IOException;

    /** The disks in the order in which they were asked for, once they are open. */
    public abstract List<? extends HeldDisk> disks();

    /** What the guest has had all its disks do, as QEMU counts it: of its devices' requests alone, and with what keeping the cut takes. */
    protected abstract GuestLoad disksLoad() throws IOException;

    /** Who counts that, if it can be found on this host. Looked for once: it may take a while. */
    protected abstract Optional<QemuProcess> findProcess() throws IOException;

    /** What the guest has had all its disks do, and its QEMU waited for, as far as this host tells. */
    public final GuestLoad guestLoad() throws IOException {
        GuestLoad load = disksLoad();
        return load.plus(new GuestLoad(0, 0, 0, 0, process().map(QemuProcess::waitNanos).orElse(0L)));
    }

    private synchronized Optional<QemuProcess> process() {
        if (process == null) {
            try {
                process = findProcess();
            } catch (IOException e) {
                LOG.info("What QEMU waits for is not looked at: {}", e.toString());
                process = Optional.empty();
            }
        }
        return process;
    }

    /** Has the disks show this instant. */
    protected abstract void cutDisks() throws IOException;

    /** Thaws a guest whom the watchdog may have left frozen. */
    protected abstract void thawAfterWatchdog() throws IOException;

    /** From now on whatever happens to the cut is our own doing. */
    protected abstract void stopGuard();

    /** Why the guard gave the cut up; "" while it holds. */
    protected abstract String guardsReason();

    /** Takes all of it but the checkpoint from the hypervisor, again if need be, and returns what could not be, a sentence each. */
    protected abstract List<String> tearDown();

    /** Removes the checkpoints that are no longer wanted, and returns what could not be removed, a sentence each. */
    protected abstract List<String> removeCheckpoints(Outcome outcome) throws IOException;

    /** Returns when the watchdog is there, without whom nothing is to be done to the guest. */
    protected final void awaitWatchdog() throws IOException {
        watchdog.awaitReady();
    }

    /** Whether the watchdog is there, and does as it is told. */
    protected final boolean isWatched() {
        return watchdog.isReady();
    }

    /** Makes the cut: the disks show this instant. */
    public final void make() throws IOException {
        before = System.nanoTime();
        cutDisks();
        time = Instant.now();
        after = System.nanoTime();
    }

    /** {@link System#nanoTime} right before the disks were cut, as exactly as is known: when that was asked for, or later. */
    public long beforeNanos() {
        return before;
    }

    /** {@link System#nanoTime} right after the disks were cut, as exactly as is known: when the answer came, or sooner. */
    public long afterNanos() {
        return after;
    }

    /** When the cut had been made: no write that came later is in it. */
    public final Instant time() {
        return time;
    }

    /**
     * Has the guest's agent flush and freeze its file systems. From here on the guest stands still, as far as it writes: {@link #make},
     * then {@link #thaw}. Whatever happens to us, it is thawed when the time is over, or as soon as we are dead.
     *
     * @param agent as the watchdog understands it
     * @param limit from now to the thaw; until then everything in the guest that writes waits
     * @throws AgentException the guest is not frozen, and goes on; or, if {@linkplain AgentException#isStuck stuck}, will when its agent answers
     */
    protected final int freeze(String agent, Duration limit) throws IOException {
        folder.noteFrozen(agent);
        frozen = true;
        try {
            return watchdog.freeze(agent, limit);
        } catch (AgentException e) {
            notFrozen(e);
            throw e;
        }
    }

    /**
     * Ends what {@link #freeze} began.
     *
     * @throws AgentException the guest was not frozen until now, so that the cut may be of any instant; it goes on, as far as can be known
     */
    public final void thaw() throws IOException {
        if (!frozen) {
            return;
        }
        try {
            watchdog.thaw();
            frozen = false;
            ScratchFolder.noteThawed(folder.path());
        } catch (AgentException e) {
            notFrozen(e);
            throw e;
        }
    }

    /** Nothing is frozen, or it is ours to thaw; should we fail as well, the note is left for the teardown, here and in others. */
    private void notFrozen(AgentException failure) {
        frozen = false;
        try {
            if (failure.isStuck()) {
                thawAfterWatchdog();
            }
            ScratchFolder.noteThawed(folder.path());
        } catch (IOException e) {
            failure.addSuppressed(e);
        }
    }

    /** From now on until {@link #paid}, the command is run by the watchdog if we die. */
    public final void owed(HostCommand command) {
        watchdog.owed(command);
    }

    /** Whoever owed the command has run it. */
    public final void paid() {
        watchdog.paid();
    }

    /**
     * To be called when all is read and stored and the next step makes the point visible: from here on nobody but {@link #end}
     * removes its checkpoint.
     */
    public final void committing() throws IOException {
        requireIntact();
        watchdog.committing();
    }

    /**
     * Takes the cut out of the hypervisor; readers should have disconnected, and are cut off if they have not. May be called again, which
     * does nothing; never throws, since it changes nothing about the outcome.
     *
     * @return what could not be cleaned up, a sentence each; the next backup tries again
     */
    public final synchronized List<String> end(Outcome outcome) {
        if (ended) {
            return List.of();
        }
        ended = true;
        stopGuard();
        try {
            thaw();
        } catch (IOException e) {
            LOG.info("The guest was not frozen until the end: {}", e.getMessage());
        }
        List<String> left = new ArrayList<>(tearDown());
        try {
            left.addAll(removeCheckpoints(outcome));
        } catch (IOException e) {
            left.add("Checkpoints were not removed: " + e.getMessage());
        }
        try {
            watchdog.end(left.isEmpty());
            folder.close();
        } catch (IOException e) {
            left.add(e.getMessage());
        }
        left.forEach(sentence -> LOG.warn("After the backup of point {}: {}", checkpoint.pointId(), sentence));
        return left;
    }

    /** Ends a cut whose point was not committed. */
    @Override
    public final void close() {
        end(Outcome.FAILED);
    }

    /** Ends a cut that could not be made, for a reason. */
    protected final void fail(Exception cause) {
        end(Outcome.FAILED).forEach(left -> cause.addSuppressed(new IOException(left)));
    }

    /** For the guard: the cut is given up, and whoever reads it finds out by {@link #requireIntact}. */
    protected final synchronized void giveUp() {
        if (!ended) {
            // Not a warning: requireIntact says it once more, as the reason why the backup failed.
            LOG.info("Giving up the backup of point {}: {}", checkpoint.pointId(), guardsReason());
            tearDown();
        }
    }
}
