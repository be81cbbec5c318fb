package io.afterimage.capture.qemu;

import io.afterimage.capture.agent.AgentException;
import io.afterimage.capture.agent.GuestAgent;
import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.LongSupplier;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import tools.jackson.databind.JsonNode;

/**
 * The disks of a running machine as they were at one instant, readable over NBD, while the guest goes on writing.
 *
 * <p>The instant is one QMP transaction over all disks; a new dirty bitmap, the next point's base, begins at it. How it is made
 * is told in {@code Fleecing}, what may go wrong meanwhile in {@code CutGuard}. The order of a backup:
 *
 * <ol>
 *   <li>{@link #prepare}, {@link #freeze} if the guest is to know of it, {@link #make}, {@link #thaw}, {@link #open}; or
 *       {@link #begin}, which is all of it without the guest
 *   <li>read {@link #disks}; when a read fails, {@link #requireIntact} throws the better reason, if there is one
 *   <li>{@link #committing} right before the point becomes visible: it also proves that all that was read was as of the cut
 *   <li>{@link #end}
 * </ol>
 *
 * <p>Whatever is not ended, by {@link #end} or {@link #close}, by a kill of this process, or of QEMU, loses no change:
 * see the package's documentation. Thread-safe.
 */
public final class Cut implements Closeable {

    private static final Logger LOG = LoggerFactory.getLogger(Cut.class);

    private final QmpClient client;
    private final CutPlan plan;
    private final Transfer transfer;
    private final Push push;
    private final ScratchFolder folder;
    private final CutGuard guard;
    private final Fleecing fleecing;
    private final WatchdogProcess watchdog;
    private Optional<Path> frozenBy = Optional.empty();
    private long before;
    private long after;
    private List<CutDisk> disks = List.of();
    private Instant time = Instant.EPOCH;
    private boolean ended;

    /** Who reads the disks. */
    public enum Transfer {
        /** We do, over NBD: QEMU serves. */
        PULL,
        /** QEMU does, and writes to us over NBD: we serve. */
        PUSH
    }

    /** What became of the point. */
    public enum Outcome {
        /** The repository lists it: its checkpoint stays, older ones of these disks go. */
        COMMITTED,
        /** It does not and will not exist: its checkpoint goes, older ones stay. */
        FAILED,
        /** The commit may or may not have happened: both stay, and {@link Strays} decides by what the repository lists. */
        UNKNOWN
    }

    private Cut(QmpClient client, CutPlan plan, Transfer transfer, ScratchFolder folder) throws IOException {
        this.transfer = transfer;
        this.push = new Push(client, plan);
        this.client = client;
        this.plan = plan;
        this.folder = folder;
        this.guard = new CutGuard(client, plan, folder, this::takeDown);
        this.fleecing = new Fleecing(client, plan, folder);
        this.watchdog = QemuWatchdog.start(client.socket(), folder.path(), plan.checkpoint());
    }

    /**
     * Makes the cut and opens it. {@link Strays#remove} must have run before.
     *
     * @throws QmpException one sentence; QEMU is then as it was before, as far as it still answers
     */
    public static Cut begin(QmpClient client, CutPlan plan) throws IOException {
        Cut cut = prepare(client, plan, Transfer.PULL);
        try {
            cut.make();
            cut.open();
            return cut;
        } catch (IOException | RuntimeException e) {
            cut.fail(e);
            throw e;
        }
    }

    /**
     * Does all that takes time, so that the cut itself takes none. {@link Strays#remove} must have run before.
     *
     * @throws QmpException one sentence; QEMU is then as it was before, as far as it still answers
     */
    public static Cut prepare(QmpClient client, CutPlan plan, Transfer transfer) throws IOException {
        ScratchFolder folder = ScratchFolder.create(plan.scratch(), plan.checkpoint().pointId(), client);
        Cut cut;
        try {
            cut = new Cut(client, plan, transfer, folder);
        } catch (IOException e) {
            folder.close();
            ScratchFolder.delete(folder.path());
            throw e;
        }
        try {
            var lack = cut.guard.shortOfSpace();
            if (lack.isPresent()) {
                throw new QmpException(lack.get());
            }
            if (transfer == Transfer.PULL) {
                IoThreads.requireSafeReading(client, plan.disks());
            } else {
                Push.requireSupport(client);
            }
            cut.fleecing.addViews();
            if (transfer == Transfer.PULL) {
                cut.fleecing.startServer();
            }
            cut.watchdog.awaitReady();
            return cut;
        } catch (IOException | RuntimeException e) {
            cut.fail(e);
            throw e;
        }
    }

    /**
     * Has the guest's agent flush and freeze its file systems. From here on the guest stands still, as far as it writes: {@link #make},
     * then {@link #thaw}. Whatever happens to us, it is thawed when the time is over, or as soon as we are dead.
     *
     * @param agent the agent's unix socket
     * @param limit from now to the thaw; until then everything in the guest that writes waits
     * @return how many file systems are frozen
     * @throws AgentException the guest is not frozen, and goes on
     */
    public int freeze(Path agent, Duration limit) throws IOException {
        folder.noteFrozen(agent.toAbsolutePath().toString());
        frozenBy = Optional.of(agent);
        try {
            return watchdog.freeze(agent.toAbsolutePath().toString(), limit);
        } catch (AgentException e) {
            thawAfter(e);
            throw e;
        }
    }

    /** Makes the cut: the disks show this instant. */
    public void make() throws IOException {
        before = System.nanoTime();
        fleecing.cut();
        time = Instant.now();
        after = System.nanoTime();
    }

    /**
     * Ends what {@link #freeze} began.
     *
     * @throws AgentException the guest was not frozen until now, so that the cut may be of any instant; it goes on, as far as can be known
     */
    public void thaw() throws IOException {
        if (frozenBy.isEmpty()) {
            return;
        }
        try {
            watchdog.thaw();
            frozenBy = Optional.empty();
            ScratchFolder.noteThawed(folder.path());
        } catch (AgentException e) {
            thawAfter(e);
            throw e;
        }
    }

    /** Nothing is frozen, or it is ours to thaw; should we fail as well, the note is left for {@link Teardown}, here and in others. */
    private void thawAfter(AgentException failure) {
        try {
            if (failure.isStuck()) {
                FrozenGuest.thaw(() -> GuestAgent.connect(frozenBy.orElseThrow()));
            }
            ScratchFolder.noteThawed(folder.path());
        } catch (IOException e) {
            failure.addSuppressed(e);
        } finally {
            frozenBy = Optional.empty();
        }
    }

    /** Makes the disks readable, or ready to be {@linkplain #push pushed}. */
    public void open() throws IOException {
        disks = transfer == Transfer.PULL ? fleecing.export() : fleecing.prepare(push);
        guard.start();
    }

    /** Where a server of ours must listen before disks are pushed; each under its name, and of its size. */
    public Path pushSocket() {
        return folder.pushSocket();
    }

    /**
     * Has QEMU send a disk to the export of its name at {@link #pushSocket}, and returns when all of it has been taken.
     *
     * @param disk one of {@link #disks}, once
     * @param onlyChanges whether what has not changed since the base is left out; only where changes are recorded
     * @param speed bytes per second, 0 for no limit; asked again and again
     */
    public void push(CutDisk disk, boolean onlyChanges, LongSupplier speed) throws IOException {
        folder.lendPushSocket(client);
        push.send(disks.indexOf(disk), folder.pushSocket(), onlyChanges, speed);
    }

    /** From now on until {@link #paid}, the command is run by the watchdog if we die. */
    public void owed(HostCommand command) {
        watchdog.owed(command);
    }

    /** Whoever owed the command has run it. */
    public void paid() {
        watchdog.paid();
    }

    private void fail(Exception cause) {
        end(Outcome.FAILED).forEach(left -> cause.addSuppressed(new QmpException(left)));
    }

    /** {@link System#nanoTime} right before the cut was asked for, and when it was made. */
    public long beforeNanos() {
        return before;
    }

    /** See {@link #beforeNanos}. */
    public long afterNanos() {
        return after;
    }

    /** When QEMU had made the cut: no write that came later is in it. */
    public Instant time() {
        return time;
    }

    /** The disks in the plan's order. */
    public List<CutDisk> disks() {
        return disks;
    }

    /** Throws the reason why the cut no longer shows the disks as they were, if there is one. */
    public void requireIntact() throws IOException {
        if (!guard.reason().isEmpty()) {
            throw new QmpException(guard.reason());
        }
        Set<String> running = client.execute("query-jobs").valueStream()
                .filter(job -> Set.of("running", "paused", "standby", "ready").contains(job.path("status").asString("")))
                .map((JsonNode job) -> job.path("id").asString(""))
                .collect(Collectors.toSet());
        CutNames names = CutNames.of(plan.checkpoint().pointId());
        for (int i = 0; i < plan.disks().size(); i++) {
            if (!running.contains(names.backupJob(i))) {
                throw new QmpException("The job " + names.backupJob(i) + " is no longer in QEMU: what was read of disk "
                        + plan.disks().get(i).disk().name() + " may be newer than the point");
            }
        }
    }

    /**
     * To be called when all is read and stored and the next step makes the point visible: from here on nobody but {@link #end}
     * removes its checkpoint.
     */
    public void committing() throws IOException {
        requireIntact();
        watchdog.committing();
    }

    /**
     * Takes the cut out of QEMU; readers should have disconnected, and are cut off if they have not. May be called again, which
     * does nothing; never throws, since it changes nothing about the outcome.
     *
     * @return what could not be cleaned up, a sentence each; the next backup's {@link Strays#remove} tries again
     */
    public synchronized List<String> end(Outcome outcome) {
        if (ended) {
            return List.of();
        }
        ended = true;
        guard.close();
        var left = new ArrayList<String>();
        try {
            thaw();
        } catch (IOException e) {
            LOG.info("The guest was not frozen until the end: {}", e.getMessage());
        }
        left.addAll(tearDown());
        if (client.isOpen()) { // else QEMU is gone, or it is the watchdog's turn
            try {
                left.addAll(removeCheckpoints(outcome));
            } catch (IOException e) {
                left.add("Checkpoints were not removed: " + e.getMessage());
            }
        }
        try {
            watchdog.end(left.isEmpty());
            folder.close();
        } catch (IOException e) {
            left.add(e.getMessage());
        }
        left.forEach(sentence -> LOG.warn("After the backup of point {}: {}", plan.checkpoint().pointId(), sentence));
        return left;
    }

    /** Ends a cut whose point was not committed. */
    @Override
    public void close() {
        end(Outcome.FAILED);
    }

    private synchronized void takeDown() {
        if (!ended) {
            // Not a warning: requireIntact says it once more, as the reason why the backup failed.
            LOG.info("Giving up the backup of point {}: {}", plan.checkpoint().pointId(), guard.reason());
            tearDown();
        }
    }

    private List<String> tearDown() {
        return new Teardown(client, CutNames.of(plan.checkpoint().pointId()), List.of(folder.path())).run();
    }

    private List<String> removeCheckpoints(Outcome outcome) throws IOException {
        Checkpoint current = plan.checkpoint();
        Set<String> nodes = plan.disks().stream().map(entry -> entry.disk().node()).collect(Collectors.toSet());
        return switch (outcome) {
            case COMMITTED -> new Checkpoints(client).removeReplaced(current, nodes);
            case FAILED -> new Checkpoints(client).remove((node, bitmap) -> bitmap.checkpoint().equals(current));
            case UNKNOWN -> List.of();
        };
    }
}
