package io.afterimage.capture.qemu;

import io.afterimage.capture.Yielding;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * QEMU sends the disks of a cut, one after the other, into NBD exports of ours:
 *
 * <pre>
 *   device -> cbw -> disk node
 *              ^ \--> view (scratch; bitmap "changes")
 *              |
 *           access (snapshot-access; its own copy of "changes") == blockdev-backup ==> target (NBD) -> us
 * </pre>
 *
 * <p>The backup job reads the cut and not the disk. Were it to read the disk itself, each guest write would wait until we
 * have taken what it overwrites, for as long as our store takes, and fail when we die; like this the guest waits for
 * local scratch only, as with a cut that is read.
 */
final class Push {

    private static final Logger LOG = LoggerFactory.getLogger(Push.class);

    private static final Duration LOOK_AGAIN = Duration.ofMillis(200);
    private static final Duration STEP_TIMEOUT = Duration.ofSeconds(20);
    private static final Duration CONNECT_TIMEOUT = Duration.ofSeconds(60);
    /** The guest stands still until QEMU has been told what an export of ours is like: for ever, if we were stopped then. */
    private static final Duration OPEN_TIMEOUT = Duration.ofSeconds(10);

    /**
     * QEMU 7.2 reports clusters that a guest has zeroed by command since the cut as zeros of the cut, which the job believes; 8.2, 9.2, 10.0 and 11.1 do
     * not. What lies between 7.2 and 8.2 was not tried.
     */
    private static final QemuVersion FIRST_EXACT = new QemuVersion(8, 2);

    /** From then on a cut may break, and who reads it by way of its filter, as a push does, is refused. */
    private static final QemuVersion FIRST_BREAKABLE = new QemuVersion(10, 1);

    /** What QEMU says then. */
    private static final String BROKEN = "Permission denied";

    /**
     * Pieces under way at once where a guest is yielded to. QEMU would take 64 and go through what a tenth of a second may take in one go, and what the guest asks
     * for meanwhile waits behind them in its main loop.
     */
    private static final int FEW_PIECES = 4;

    private final QmpClient client;
    private final CutPlan plan;
    private final CutNames names;

    Push(QmpClient client, CutPlan plan) {
        this.client = client;
        this.plan = plan;
        this.names = CutNames.of(plan.checkpoint().pointId());
    }

    /** Before the cut, while a refusal costs nothing: whether this QEMU sends what was there at the cut. */
    static void requireSupport(QmpClient client) throws IOException {
        QemuVersion version = QemuVersion.of(client);
        if (!version.isFrom(FIRST_EXACT)) {
            throw new QmpException("QEMU " + version + " would send zeros for what the guest zeroes while its disks are pushed, whatever it was at the cut; QEMU "
                    + FIRST_EXACT + " sends what it was: back up with --mode pull");
        }
    }

    /** Whether a push from a cut that breaks, because its scratch cannot be written to, ends with an error: then the guest need not be the one who has it. */
    static boolean noticesBrokenCut(QmpClient client) throws IOException {
        return QemuVersion.of(client).isFrom(FIRST_BREAKABLE);
    }

    /** A view of the cut that a job may read while another one writes the scratch, with its own copy of the bitmap. */
    void addAccess(int disk, boolean recorded) throws IOException {
        client.execute("blockdev-add", QmpClient.arguments()
                .put("driver", "snapshot-access").put("node-name", names.access(disk)).put("file", names.filter(disk)));
        if (recorded) {
            client.execute("block-dirty-bitmap-add", QmpClient.arguments()
                    .put("node", names.access(disk)).put("name", Fleecing.CHANGES).put("disabled", true).put("granularity", plan.granularity()));
            ObjectNode merge = QmpClient.arguments().put("node", names.access(disk)).put("target", Fleecing.CHANGES);
            merge.putArray("bitmaps").addObject().put("node", names.view(disk)).put("name", Fleecing.CHANGES);
            client.execute("block-dirty-bitmap-merge", merge);
        }
    }

    /**
     * Sends a disk, and returns when all of it has been taken.
     *
     * @param socket where its export is served under the disk's name
     * @param yielding how much of it the guest may feel; the rate at which it feels no more is in the speed
     * @param speed bytes per second, 0 for no limit; asked again and again
     */
    void send(int disk, Path socket, boolean onlyChanges, Yielding yielding, LongSupplier speed) throws IOException {
        String target = names.target(disk);
        ObjectNode node = QmpClient.arguments()
                .put("driver", "nbd").put("node-name", target).put("export", plan.disks().get(disk).disk().name())
                .put("reconnect-delay", 0).put("open-timeout", OPEN_TIMEOUT.toSeconds());
        node.putObject("server").put("type", "unix").put("path", socket.toString());
        client.execute("blockdev-add", node, CONNECT_TIMEOUT);
        long limit = speed.getAsLong();
        String job = names.pushJob(disk);
        ObjectNode backup = QmpClient.arguments()
                .put("job-id", job).put("device", names.access(disk)).put("target", target)
                .put("filter-node-name", names.pushFilter(disk)).put("speed", limit)
                .put("sync", onlyChanges ? "bitmap" : "full").put("auto-dismiss", false);
        if (onlyChanges) {
            backup.put("bitmap", Fleecing.CHANGES).put("bitmap-mode", "never");
        }
        begin(client, backup, !yielding.equals(Yielding.NOT));
        String error = awaitEnd(job, limit, speed);
        client.execute("job-dismiss", QmpClient.arguments().put("id", job));
        if (!error.isEmpty()) {
            throw new QmpException("QEMU gave up sending disk " + plan.disks().get(disk).disk().name() + " (" + error + ")"
                    + (error.contains(BROKEN) ? ": what the guest has overwritten could not be kept in " + plan.scratch() + "; choose a larger place for scratch" : ""));
        }
        client.awaitState("let go of the export of disk " + disk, STEP_TIMEOUT, () -> deleted(target));
        client.awaitState("let go of the view of disk " + disk, STEP_TIMEOUT, () -> deleted(names.access(disk)));
    }

    /** @param fewPieces whether few are to be under way at once, if this QEMU can be told so: it has not promised to keep the word for it */
    static void begin(QmpClient client, ObjectNode backup, boolean fewPieces) throws IOException {
        if (fewPieces) {
            ObjectNode gentle = backup.deepCopy();
            gentle.putObject("x-perf").put("max-workers", FEW_PIECES);
            try {
                client.execute("blockdev-backup", gentle);
                return;
            } catch (QmpCommandException e) {
                LOG.info("QEMU has as many pieces under way as it likes: {}", e.getMessage());
            }
        }
        client.execute("blockdev-backup", backup);
    }

    /** While a job winds up, its nodes are refused for a moment. */
    private boolean deleted(String node) throws IOException {
        try {
            client.execute("blockdev-del", QmpClient.arguments().put("node-name", node));
            return true;
        } catch (QmpCommandException e) {
            return false;
        }
    }

    /** The job's error, or "". */
    private String awaitEnd(String id, long limit, LongSupplier speed) throws IOException {
        long set = limit;
        try (QmpEvents events = client.subscribe(event -> event.name().equals("JOB_STATUS_CHANGE"))) {
            while (true) {
                JsonNode job = job(id).orElseThrow(() -> new QmpException("Another program removed the job " + id + " from QEMU"));
                if (job.path("status").asString("").equals("concluded")) {
                    return job.path("error").asString("");
                }
                long wanted = speed.getAsLong();
                if (wanted != set) {
                    try {
                        client.execute("block-job-set-speed", QmpClient.arguments().put("device", id).put("speed", wanted));
                    } catch (QmpCommandException e) {
                        // it has just ended
                    }
                    set = wanted;
                }
                events.poll(LOOK_AGAIN);
            }
        }
    }

    private Optional<JsonNode> job(String id) throws IOException {
        return client.execute("query-jobs").valueStream().filter(job -> job.path("id").asString("").equals(id)).findFirst();
    }
}
