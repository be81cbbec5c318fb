package io.afterimage.app.boot;

import io.afterimage.capture.qemu.QmpClient;
import io.afterimage.capture.qemu.QmpEvent;
import io.afterimage.capture.qemu.QmpEvents;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.function.Consumer;
import tools.jackson.databind.JsonNode;

/**
 * Moves what a running machine's disk still has below it into its {@link LocalImage}, by QEMU's {@code block-stream}. All that the machine writes goes there from its first moment, so
 * that there is nothing to be lost, whenever it or we come to an end: what has not moved by then moves after the next boot.
 *
 * <p>The last step makes the image forget what lay below, and must not reach the disk before what has moved has. QEMU does not see to that. So it waits with that step for us
 * ({@code auto-finalize}), and we stop the machine for the moment that QEMU takes to write everything out, and sync the file.
 *
 * <p>A store that fails and a disk that is full hold the move up, and, the latter, the machine; both go on when there is help.
 */
final class DiskMigration {

    /** What the image's blocks are called in QEMU, and what lies below them. */
    private static final String JOB = "afterimage-move";

    /** A machine that has read nothing for so long has booted, or does other things; and one that never stops reading has to bear it. */
    private static final Duration QUIET = Duration.ofSeconds(3);

    private static final Duration LATEST = Duration.ofSeconds(60);
    private static final Duration GLANCE = Duration.ofMillis(500);
    private static final Duration RETRY = Duration.ofSeconds(5);

    /** Gigabytes may have to be written out. */
    private static final Duration FLUSH = Duration.ofMinutes(10);

    private final LocalImage image;
    private final String node;
    private final String below;
    private final Consumer<String> user;
    private boolean saidFull;
    private boolean saidFailed;

    /**
     * @param node what QEMU calls the image
     * @param below what it calls that which lies below
     * @param user is told in sentences what holds it up
     */
    DiskMigration(LocalImage image, String node, String below, Consumer<String> user) {
        this.image = image;
        this.node = node;
        this.below = below;
        this.user = user;
    }

    /** Moves everything; the machine needs nothing but the image when this returns. Throws one sentence, and has changed nothing, if that has failed. */
    void run(Path socket) throws IOException {
        try (QmpClient qmp = QmpClient.connect(socket);
                QmpEvents events = qmp.subscribe(_ -> true)) {
            awaitBoot(qmp, events);
            qmp.execute("block-stream", QmpClient.arguments()
                    .put("job-id", JOB).put("device", node).put("on-error", "stop").put("auto-finalize", false));
            awaitMoved(qmp, events);
            letGo(qmp, events);
            qmp.execute("blockdev-del", QmpClient.arguments().put("node-name", below));
        }
    }

    private void awaitBoot(QmpClient qmp, QmpEvents events) throws IOException {
        long begin = System.nanoTime();
        long lastRead = begin;
        long reads = -1;
        for (long now = begin; now - lastRead < QUIET.toNanos() && now - begin < LATEST.toNanos(); now = System.nanoTime()) {
            long before = reads;
            reads = reads(qmp);
            lastRead = reads == before ? lastRead : now;
            Optional<QmpEvent> _ = events.poll(GLANCE);
        }
    }

    private long reads(QmpClient qmp) throws IOException {
        return qmp.execute("query-blockstats").valueStream()
                .filter(device -> device.path("node-name").asString("").equals(node))
                .mapToLong(device -> device.path("stats").path("rd_operations").asLong(0))
                .sum();
    }

    private void awaitMoved(QmpClient qmp, QmpEvents events) throws IOException {
        while (true) {
            Optional<QmpEvent> event = events.poll(RETRY);
            if (event.isEmpty()) {
                retry(qmp);
            } else if (event.get().name().equals("BLOCK_JOB_PENDING") && event.get().text("id").equals(JOB)) {
                return;
            } else if (isEnd(event.get())) {
                throw new IOException("it was cancelled" + (event.get().data().has("error") ? ": " + event.get().text("error") : ""));
            } else {
                tell(event.get());
            }
        }
    }

    private static boolean isEnd(QmpEvent event) {
        return (event.name().equals("BLOCK_JOB_COMPLETED") || event.name().equals("BLOCK_JOB_CANCELLED")) && event.text("device").equals(JOB);
    }

    /** What failed is done once more; what the user has paused stays so. */
    private void retry(QmpClient qmp) throws IOException {
        for (JsonNode job : qmp.execute("query-block-jobs")) {
            if (job.path("device").asString("").equals(JOB) && !job.path("io-status").asString("ok").equals("ok")) {
                tell(job.path("io-status").asString("").equals("nospace"));
                qmp.execute("block-job-resume", QmpClient.arguments().put("device", JOB));
            }
        }
        if (status(qmp).equals("io-error")) {
            qmp.execute("cont");
        }
    }

    private void tell(QmpEvent event) {
        if (event.name().equals("BLOCK_IO_ERROR") && event.text("action").equals("stop")) {
            tell(event.data().path("nospace").asBoolean(false));
        }
    }

    private void tell(boolean full) {
        if (full && !saidFull) {
            user.accept("There is no room left for " + image + ": the machine, and its move, wait until there is.");
        } else if (!full && !saidFailed) {
            user.accept("The move to " + image + " waits for what it cannot read or write now.");
        }
        saidFull |= full;
        saidFailed |= !full;
    }

    private static String status(QmpClient qmp) throws IOException {
        return qmp.execute("query-status").path("status").asString("");
    }

    private void letGo(QmpClient qmp, QmpEvents events) throws IOException {
        boolean runs = status(qmp).equals("running");
        qmp.execute("stop", QmpClient.arguments(), FLUSH);
        try {
            image.sync();
            qmp.execute("job-finalize", QmpClient.arguments().put("id", JOB));
            QmpEvent end = events.await("the end of the move", DiskMigration::isEnd, FLUSH);
            if (end.data().has("error")) {
                throw new IOException(end.text("error"));
            }
            image.sync();
        } finally {
            if (runs) {
                qmp.execute("cont");
            }
        }
    }
}
