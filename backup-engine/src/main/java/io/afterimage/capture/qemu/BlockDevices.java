package io.afterimage.capture.qemu;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import tools.jackson.databind.JsonNode;

/** Sorts a machine's block devices into disks to be backed up and others, and gives each disk its name. */
final class BlockDevices {

    private static final Pattern QOM_PATH = Pattern.compile("/machine/(?:peripheral|peripheral-anon|unattached)/([^/]+)(?:/.*)?");

    private final QmpClient client;
    private final BlockGraph graph;
    private final List<QemuDisk> disks = new ArrayList<>();
    private final List<QemuMachine.Skipped> skipped = new ArrayList<>();

    private BlockDevices(QmpClient client, BlockGraph graph) {
        this.client = client;
        this.graph = graph;
    }

    /**
     * @param selection what the user named; all writable fixed disks when empty
     * @param knownNames names that earlier points gave to disks, by {@link QemuDisk#qdev}: a disk keeps its name although a
     *     snapshot has put a node with another name on top of it
     */
    static BlockDevices sort(
            QmpClient client, BlockGraph graph, JsonNode queryBlock, Collection<String> selection, Map<String, String> knownNames)
            throws IOException {
        var sorted = new BlockDevices(client, graph);
        for (JsonNode device : queryBlock) {
            sorted.add(device, selection, knownNames);
        }
        for (String word : selection) {
            if (sorted.disks.stream().noneMatch(disk -> disk.isCalled(word))) {
                throw new QmpException("The machine has no disk '" + word + "' that can be backed up; it has: " + sorted.everything());
            }
        }
        sorted.requireDistinctNames();
        return sorted;
    }

    List<QemuDisk> disks() {
        return List.copyOf(disks);
    }

    List<QemuMachine.Skipped> skipped() {
        return List.copyOf(skipped);
    }

    private void add(JsonNode json, Collection<String> selection, Map<String, String> knownNames) throws IOException {
        String device = json.path("device").asString("");
        String qdev = json.path("qdev").asString("");
        String label = device.isEmpty() ? qdev : device;
        JsonNode inserted = json.path("inserted");
        if (inserted.isMissingNode()) {
            skipped.add(new QemuMachine.Skipped(label, "no medium"));
            return;
        }
        String top = inserted.path("node-name").asString("");
        BlockNode node = graph.formatNode(top);
        String name = name(device, node, qdev, knownNames);
        var disk = new QemuDisk(
                name, device, qdev, top, node.name(), node.driver(), node.file(), node.size(), node.storesBitmaps(), node.bitmaps(),
                graph.backingChain(node).stream().map(image -> new QemuDisk.Backing(
                        image.driver(), image.file(), image.name(), image.size(), image.bitmaps())).toList());
        String reason = whyNot(disk, json, node, selection);
        if (reason.isEmpty()) {
            disks.add(disk);
        } else {
            skipped.add(new QemuMachine.Skipped(name, reason));
        }
    }

    /** Why a device is not backed up; "" if it is. What the user names is, if it can be at all. */
    private String whyNot(QemuDisk disk, JsonNode json, BlockNode node, Collection<String> selection) throws IOException {
        if (json.path("inserted").path("ro").asBoolean(false) || node.readOnly()) {
            return "read-only";
        }
        if (!selection.isEmpty()) {
            return selection.stream().anyMatch(disk::isCalled) ? "" : "not selected";
        }
        if (disk.qdev().isEmpty()) {
            return "used by no device";
        }
        if (json.path("removable").asBoolean(false)) {
            return "removable";
        }
        if (isFlash(disk.qdev())) {
            return "firmware flash";
        }
        return disks.stream().anyMatch(other -> other.node().equals(disk.node())) ? "the same disk behind another device" : "";
    }

    /** Firmware and its variables: part of the machine, not a disk of its own. */
    private boolean isFlash(String qdev) throws IOException {
        if (!qdev.startsWith("/")) {
            return false;
        }
        try {
            JsonNode type = client.execute("qom-get", QmpClient.arguments().put("path", qdev).put("property", "type"));
            return type.asString("").startsWith("cfi.pflash");
        } catch (QmpCommandException e) {
            return false;
        }
    }

    /** The user's own name for the disk where there is one, since the names that QEMU makes up change from start to start. */
    private String name(String device, BlockNode node, String qdev, Map<String, String> knownNames) {
        String known = qdev.isEmpty() ? null : knownNames.get(qdev);
        if (known != null) {
            return known;
        }
        if (!device.isEmpty() && !device.startsWith("#")) {
            return sanitize(device);
        }
        if (node.hasGivenName()) {
            return sanitize(node.name());
        }
        Matcher path = QOM_PATH.matcher(qdev);
        return sanitize(path.matches() ? path.group(1) : qdev.substring(qdev.lastIndexOf('/') + 1));
    }

    static String sanitize(String name) {
        String allowed = name.replaceAll("[^A-Za-z0-9._-]+", "-").replaceAll("^[^A-Za-z0-9]+|-+$", "");
        return allowed.isEmpty() ? "disk" : allowed;
    }

    private void requireDistinctNames() throws QmpException {
        Set<String> seen = new HashSet<>();
        Map<String, String> nodes = new HashMap<>();
        for (QemuDisk disk : disks) {
            if (!seen.add(disk.name())) {
                throw new QmpException("Two disks of the machine are both called '" + disk.name() + "' (nodes " + nodes.get(disk.name())
                        + " and " + disk.node() + "): give one of them another id, or choose one by --disk NODE");
            }
            nodes.put(disk.name(), disk.node());
        }
    }

    private String everything() {
        var all = new ArrayList<String>();
        disks.forEach(disk -> all.add(disk.name()));
        skipped.forEach(other -> all.add(other.name() + " (" + other.reason() + ")"));
        return all.isEmpty() ? "none" : String.join(", ", all);
    }
}
