package io.afterimage.capture.qemu;

import io.afterimage.capture.GuestLoad;
import io.afterimage.capture.Yielding;
import io.afterimage.capture.agent.AgentException;
import io.afterimage.capture.agent.GuestAgent;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.LongSupplier;
import java.util.stream.Collectors;
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
public final class Cut extends HeldCut {

    private final QmpClient client;
    private final CutPlan plan;
    private final Transfer transfer;
    private final Push push;
    private final ScratchFolder folder;
    private final CutGuard guard;
    private final Fleecing fleecing;
    /** The agent that was asked to freeze the guest. */
    private Path agent;
    private List<CutDisk> disks = List.of();

    /** Who reads the disks. */
    public enum Transfer {
        /** We do, over NBD: QEMU serves. */
        PULL,
        /** QEMU does, and writes to us over NBD: we serve. */
        PUSH
    }

    private Cut(QmpClient client, CutPlan plan, Transfer transfer, ScratchFolder folder, WatchdogProcess watchdog) {
        super(plan.checkpoint(), folder, watchdog);
        this.transfer = transfer;
        this.push = new Push(client, plan);
        this.client = client;
        this.plan = plan;
        this.folder = folder;
        this.guard = new CutGuard(client, plan, folder, this::giveUp);
        this.fleecing = new Fleecing(client, plan, folder);
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
        String pointId = plan.checkpoint().pointId();
        // First, so that there is nothing which it does not take away.
        WatchdogProcess watchdog = QemuWatchdog.start(client.socket(), ScratchFolder.path(plan.scratch(), pointId), plan.checkpoint());
        ScratchFolder folder;
        try {
            folder = ScratchFolder.create(plan.scratch(), pointId, client);
        } catch (IOException e) {
            watchdog.end(true);
            throw e;
        }
        Cut cut = new Cut(client, plan, transfer, folder, watchdog);
        try {
            var lack = cut.guard.shortOfSpace();
            if (lack.isPresent()) {
                throw new QmpException(lack.get());
            }
            if (transfer == Transfer.PULL) {
                IoThreads.requireSafeReading(client, plan.disks());
            } else {
                Push.requireSupport(client);
                if (Push.noticesBrokenCut(client)) {
                    cut.fleecing.spareGuest();
                }
            }
            cut.fleecing.addViews();
            if (transfer == Transfer.PULL) {
                cut.fleecing.startServer();
            }
            cut.awaitWatchdog();
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
     * @param socket the agent's unix socket
     * @param limit from now to the thaw; until then everything in the guest that writes waits
     * @return how many file systems are frozen
     * @throws AgentException the guest is not frozen, and goes on
     */
    public int freeze(Path socket, Duration limit) throws IOException {
        agent = socket;
        return freeze(socket.toAbsolutePath().toString(), limit);
    }

    @Override
    protected void thawAfterWatchdog() throws IOException {
        FrozenGuest.thaw(() -> GuestAgent.connect(agent));
    }

    @Override
    protected void cutDisks() throws IOException {
        fleecing.cut();
    }

    /** Makes the disks readable, or ready to be {@linkplain #push pushed}. */
    public void open() throws IOException {
        disks = transfer == Transfer.PULL ? fleecing.export() : fleecing.prepare(push);
        guard.start();
    }

    /**
     * The disks that are to be pushed, to be read besides, as they were at the cut: for who doubts what is said of them.
     *
     * @throws QmpException one sentence, if QEMU cannot show them: another program has its NBD server, or reading them is not safe
     */
    public List<CutDisk> show() throws IOException {
        IoThreads.requireSafeReading(client, plan.disks());
        fleecing.startServer();
        return fleecing.export();
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
     * @param yielding how much of it the guest may feel
     * @param speed bytes per second, 0 for no limit; asked again and again
     */
    public void push(CutDisk disk, boolean onlyChanges, Yielding yielding, LongSupplier speed) throws IOException {
        folder.lendPushSocket(client);
        push.send(disks.indexOf(disk), folder.pushSocket(), onlyChanges, yielding, speed);
    }

    @Override
    public List<CutDisk> disks() {
        return disks;
    }

    @Override
    protected GuestLoad disksLoad() throws IOException {
        GuestLoad load = new GuestLoad(0, 0, 0, 0);
        for (JsonNode device : client.execute("query-blockstats")) {
            JsonNode told = device.path("stats");
            load = load.plus(new GuestLoad(
                    told.path("rd_operations").asLong(0), told.path("rd_total_time_ns").asLong(0),
                    told.path("wr_operations").asLong(0), told.path("wr_total_time_ns").asLong(0)));
        }
        return load;
    }

    @Override
    protected Optional<QemuProcess> findProcess() throws IOException {
        return QemuProcess.listeningOn(client.socket());
    }

    @Override
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

    @Override
    protected void stopGuard() {
        guard.close();
    }

    @Override
    protected String guardsReason() {
        return guard.reason();
    }

    @Override
    protected List<String> tearDown() {
        return new Teardown(client, CutNames.of(plan.checkpoint().pointId()), List.of(folder.path())).run();
    }

    @Override
    protected List<String> removeCheckpoints(Outcome outcome) throws IOException {
        if (!client.isOpen()) {
            return List.of(); // QEMU is gone, or it is the watchdog's turn
        }
        Checkpoint current = plan.checkpoint();
        Set<String> nodes = plan.disks().stream().map(entry -> entry.disk().node()).collect(Collectors.toSet());
        return switch (outcome) {
            case COMMITTED -> new Checkpoints(client).removeReplaced(current, nodes);
            case FAILED -> new Checkpoints(client).remove((node, bitmap) -> bitmap.checkpoint().equals(current));
            case UNKNOWN -> List.of();
        };
    }
}
