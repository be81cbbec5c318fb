package io.afterimage.capture.qemu;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import tools.jackson.databind.JsonNode;

/** QEMU's block graph at one moment: every named node, what stands below a filter, and what below an overlay. */
final class BlockGraph {

    private final Map<String, BlockNode> nodes = new LinkedHashMap<>();
    /** For each filter the node that it stands in front of. */
    private final Map<String, String> below = new HashMap<>();
    /** For each overlay the node that it stands on. */
    private final Map<String, String> backing = new HashMap<>();

    private BlockGraph(JsonNode described) {
        described.valueStream().map(BlockNode::of).forEach(node -> nodes.put(node.name(), node));
    }

    static BlockGraph query(QmpClient client) throws IOException {
        JsonNode described = client.execute("query-named-block-nodes", QmpClient.arguments().put("flat", true));
        var graph = new BlockGraph(described);
        if (graph.nodes.values().stream().anyMatch(BlockNode::isFilter)
                || described.valueStream().anyMatch(node -> node.has("backing_file"))) {
            graph.readEdges(client, described);
        }
        return graph;
    }

    Collection<BlockNode> nodes() {
        return nodes.values();
    }

    Optional<BlockNode> node(String name) {
        return Optional.ofNullable(nodes.get(name));
    }

    /** Goes down from a device's top node through all filters to the node that holds the disk's format. */
    BlockNode formatNode(String top) throws QmpException {
        BlockNode node = nodes.get(top);
        // A graph has no cycles, but an answer may: no more steps than there are nodes.
        for (int steps = 0; node != null && node.isFilter() && steps < nodes.size(); steps++) {
            node = nodes.get(below.getOrDefault(node.name(), ""));
        }
        if (node == null || node.isFilter()) {
            throw new QmpException("QEMU does not tell which node is below the filter '" + top + "': end the job that put it there");
        }
        return node;
    }

    /**
     * What an overlay stands on, the next one below first. The list ends early at a filter, or where QEMU does not tell what comes.
     */
    List<BlockNode> backingChain(BlockNode overlay) {
        var chain = new ArrayList<BlockNode>();
        BlockNode node = nodes.get(backing.getOrDefault(overlay.name(), ""));
        while (node != null && !node.isFilter() && chain.size() < nodes.size()) {
            chain.add(node);
            node = nodes.get(backing.getOrDefault(node.name(), ""));
        }
        return List.copyOf(chain);
    }

    /** New QEMUs list the children of each node; older ones tell them by a debugging command only. */
    private void readEdges(QmpClient client, JsonNode described) throws IOException {
        boolean listed = false;
        for (JsonNode node : described) {
            for (JsonNode child : node.path("children")) {
                listed = true;
                connect(node.path("node-name").asString(""), child.path("child").asString(""), child.path("node-name").asString(""));
            }
        }
        if (listed) {
            return;
        }
        JsonNode graph;
        try {
            graph = client.execute("x-debug-query-block-graph");
        } catch (QmpCommandException e) {
            return; // formatNode says what is missing, if it is missed
        }
        var names = new HashMap<Long, String>();
        graph.path("nodes").forEach(node -> {
            if (node.path("type").asString("").equals("block-driver")) {
                names.put(node.path("id").asLong(), node.path("name").asString(""));
            }
        });
        for (JsonNode edge : graph.path("edges")) {
            connect(
                    names.getOrDefault(edge.path("parent").asLong(), ""),
                    edge.path("name").asString(""),
                    names.getOrDefault(edge.path("child").asLong(), ""));
        }
    }

    /** The data of mirror's and commit's filters stands behind their "backing" link, that of all others behind "file". */
    private void connect(String parent, String link, String child) {
        BlockNode node = nodes.get(parent);
        if (node != null && node.isFilter() && (link.equals("file") || link.equals("backing"))) {
            below.put(parent, child);
        } else if (node != null && link.equals("backing")) {
            backing.put(parent, child);
        }
    }
}
