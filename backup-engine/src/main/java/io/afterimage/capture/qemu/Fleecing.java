package io.afterimage.capture.qemu;

import java.io.IOException;
import java.net.URI;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * The QMP of a cut, one method a step, in their order. For each disk:
 *
 * <pre>
 *   device -> [throttle...] -> cbw -> disk node (old bitmap and new bitmap: both record)
 *                               |          ^ backing
 *                               +------> view (scratch; disabled bitmap "changes" = old bitmap at the cut) <- NBD export
 * </pre>
 *
 * <p>What the guest is about to overwrite, cbw copies to the view first; so the view shows the disk as it was when cbw came in.
 */
final class Fleecing {

    /** On the view, so it cannot clash with a bitmap of the disk, and goes with the view. */
    static final String CHANGES = "afterimage-changes";

    /** The transaction waits for all requests of the guest that are under way, on whatever storage. */
    private static final Duration TRANSACTION_TIMEOUT = Duration.ofSeconds(60);

    private final QmpClient client;
    private final CutPlan plan;
    private final CutNames names;
    private final ScratchFolder folder;
    private final List<Changes.Source> sources;
    private boolean sparing;

    Fleecing(QmpClient client, CutPlan plan, ScratchFolder folder) {
        this.client = client;
        this.plan = plan;
        this.names = CutNames.of(plan.checkpoint().pointId());
        this.folder = folder;
        this.sources = plan.disks().stream()
                .map(entry -> Changes.find(entry.disk(), entry.base(), plan.checkpoint()))
                .toList();
    }

    /** Has a cut whose scratch cannot be written to break, so that who reads it is refused, instead of a write of the guest's. Before the cut. */
    void spareGuest() {
        sparing = true;
    }

    /** Makes the scratch images and the views. QEMU makes them itself: as its own user, in its own idea of the format. */
    void addViews() throws IOException {
        for (int i = 0; i < plan.disks().size(); i++) {
            QemuDisk disk = plan.disks().get(i).disk();
            String image = folder.image(i).toString();
            create(i, QmpClient.arguments().put("driver", "file").put("filename", image).put("size", 0));
            ObjectNode file = QmpClient.arguments()
                    .put("driver", "file").put("node-name", names.file(i)).put("filename", image).put("discard", "unmap");
            // Scratch is worth nothing after a crash: flushing it would only cost the guest's writes time.
            file.putObject("cache").put("no-flush", true);
            client.execute("blockdev-add", file);
            create(i, QmpClient.arguments().put("driver", "qcow2").put("file", names.file(i)).put("size", disk.size()));
            client.execute("blockdev-add", QmpClient.arguments()
                    .put("driver", "qcow2").put("node-name", names.view(i)).put("file", names.file(i)).put("backing", disk.node())
                    .put("discard", "unmap"));
        }
    }

    /** QEMU has one NBD server; ours listens in the private folder only. */
    void startServer() throws IOException {
        ObjectNode arguments = QmpClient.arguments();
        arguments.putObject("addr").put("type", "unix").putObject("data").put("path", folder.nbdSocket().toString());
        try {
            client.execute("nbd-server-start", arguments);
        } catch (QmpCommandException e) {
            if (!e.description().contains("already running")) {
                throw e;
            }
            throw new QmpException("QEMU's NBD server, of which it has only one, is in use by another program (a backup, a migration):"
                    + " back up when that is done, or stop it by the QMP command nbd-server-stop", e);
        }
    }

    /**
     * The cut: all disks at one instant, or none.
     *
     * <p>The backup jobs come first. From its job's turn on, a disk stays drained until the transaction's end: no write can come
     * between the view's beginning and the bitmaps'. While later disks still run, no write that depends on one to a drained disk
     * can happen, so all disks together are a state that a power cut could have left.
     */
    void cut() throws IOException {
        ObjectNode transaction = QmpClient.arguments();
        ArrayNode actions = transaction.putArray("actions");
        for (int i = 0; i < plan.disks().size(); i++) {
            ObjectNode backup = action(actions, "blockdev-backup")
                    .put("job-id", names.backupJob(i)).put("device", plan.disks().get(i).disk().node()).put("target", names.view(i))
                    .put("sync", "none").put("filter-node-name", names.filter(i));
            if (sparing) {
                backup.put("on-cbw-error", "break-snapshot");
            }
        }
        for (int i = 0; i < plan.disks().size(); i++) {
            QemuDisk disk = plan.disks().get(i).disk();
            action(actions, "block-dirty-bitmap-add")
                    .put("node", disk.node()).put("name", plan.checkpoint().on(disk.name()).name())
                    .put("persistent", disk.storesBitmaps()).put("granularity", plan.granularity());
            if (sources.get(i).isRecorded()) {
                action(actions, "block-dirty-bitmap-add")
                        .put("node", names.view(i)).put("name", CHANGES).put("disabled", true).put("granularity", plan.granularity());
                action(actions, "block-dirty-bitmap-merge")
                        .put("node", names.view(i)).put("target", CHANGES)
                        .putArray("bitmaps").addObject().put("node", sources.get(i).node()).put("name", sources.get(i).bitmap());
            }
        }
        client.execute("transaction", transaction, TRANSACTION_TIMEOUT);
    }

    /** Exports the views, each under its disk's name. */
    List<CutDisk> export() throws IOException {
        for (int i = 0; i < plan.disks().size(); i++) {
            ObjectNode export = QmpClient.arguments()
                    .put("type", "nbd").put("id", names.export(i)).put("node-name", names.view(i))
                    .put("name", plan.disks().get(i).disk().name());
            if (sources.get(i).isRecorded()) {
                export.putArray("bitmaps").add(CHANGES);
            }
            if (layersAbove(i) > 0) {
                export.put("allocation-depth", true);
            }
            client.execute("block-export-add", export);
        }
        return disks(folder.nbdSocket());
    }

    /** Gives pushing jobs something to read. */
    List<CutDisk> prepare(Push push) throws IOException {
        for (int i = 0; i < plan.disks().size(); i++) {
            push.addAccess(i, sources.get(i).isRecorded());
        }
        return disks(folder.pushSocket());
    }

    private List<CutDisk> disks(Path socket) throws IOException {
        var disks = new ArrayList<CutDisk>();
        BlockGraph graph = BlockGraph.query(client);
        for (int i = 0; i < plan.disks().size(); i++) {
            QemuDisk disk = plan.disks().get(i).disk();
            String view = names.view(i);
            Optional<Changes.Allocated> above = layersAbove(i) == 0
                    ? Optional.empty()
                    // The view is one more: what the guest has overwritten since the cut lies there, as it was.
                    : Optional.of(new Changes.Allocated("qemu:allocation-depth", layersAbove(i) + 1));
            Changes changes;
            if (sources.get(i).isRecorded()) {
                changes = new Changes.Recorded("qemu:dirty-bitmap:" + CHANGES, graph.node(view)
                        .flatMap(node -> node.bitmap(CHANGES))
                        .orElseThrow(() -> new QmpException("QEMU lost the bitmap of changes on node " + view))
                        .count(), above);
            } else if (above.isPresent()) {
                changes = above.get();
            } else {
                changes = new Changes.Unknown(sources.get(i).reason());
            }
            disks.add(new CutDisk(disk, uri(disk.name(), socket), changes));
        }
        return List.copyOf(disks);
    }

    /** How many images are above the one that tells the rest: by its bitmap, or by being what the base point shows. */
    private int layersAbove(int disk) {
        return sources.get(disk).isRecorded()
                ? sources.get(disk).layersAbove()
                : plan.disks().get(disk).base().map(CutPlan.Base::layersAbove).orElse(0);
    }

    private static URI uri(String export, Path socket) {
        String encoded = URLEncoder.encode(socket.toString(), StandardCharsets.UTF_8).replace("+", "%20").replace("%2F", "/");
        return URI.create("nbd+unix:///" + export + "?socket=" + encoded);
    }

    private static ObjectNode action(ArrayNode actions, String type) {
        return actions.addObject().put("type", type).putObject("data");
    }

    private void create(int disk, ObjectNode options) throws IOException {
        String job = names.createJob(disk);
        ObjectNode arguments = QmpClient.arguments().put("job-id", job);
        arguments.set("options", options);
        client.execute("blockdev-create", arguments);
        var outcome = new String[] {""};
        client.awaitState("create a scratch image in " + folder.path(), QmpClient.DEFAULT_TIMEOUT, () -> {
            for (JsonNode running : client.execute("query-jobs")) {
                if (running.path("id").asString("").equals(job)) {
                    outcome[0] = running.path("error").asString("");
                    return running.path("status").asString("").equals("concluded");
                }
            }
            throw new QmpException("Another program removed the job " + job + " from QEMU");
        });
        client.execute("job-dismiss", QmpClient.arguments().put("id", job));
        if (!outcome[0].isEmpty()) {
            throw new QmpException("QEMU cannot make a scratch image in " + folder.path() + " (" + outcome[0]
                    + "): choose a scratch folder that belongs to QEMU's user");
        }
    }
}
