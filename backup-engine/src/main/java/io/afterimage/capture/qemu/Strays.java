package io.afterimage.capture.qemu;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import tools.jackson.databind.JsonNode;

/** What backups that were killed have left in QEMU and beside it. */
public final class Strays {

    private Strays() {}

    /** Asks a repository for its points. */
    @FunctionalInterface
    public interface PointLookup {
        /** Whether the repository lists the point; an exception when it cannot be told, and then nothing is removed for it. */
        boolean exists(String pointId) throws IOException;
    }

    /**
     * Removes exports, jobs, nodes, the NBD server and the scratch of every cut that no living backup holds, and the checkpoints of
     * {@code repository} whose points are not listed. To be called before each {@link Cut}.
     *
     * @param scratch where this machine's backups put their scratch
     * @param repository the first 8 hexadecimal digits of the repository's id; checkpoints of others are left alone
     * @return what could not be removed, a sentence each
     * @throws QmpException another backup of this machine is under way
     */
    public static List<String> remove(QmpClient client, Path scratch, String repository, PointLookup points) throws IOException {
        var left = new ArrayList<String>();
        for (Map.Entry<CutNames, Set<Path>> cut : find(client, scratch).entrySet()) {
            for (Path folder : cut.getValue()) {
                if (ScratchFolder.isHeld(folder)) {
                    throw new QmpException("Another backup of this machine is under way (its scratch is " + folder
                            + "): wait until it is done, or end it");
                }
            }
            left.addAll(new Teardown(client, cut.getKey(), cut.getValue()).run());
        }
        left.addAll(new Checkpoints(client).remove(
                (node, bitmap) -> bitmap.checkpoint().repository().equals(repository) && !points.exists(bitmap.checkpoint().pointId())));
        return left;
    }

    /** All cuts that left a trace, each with the scratch folders that are known of it. */
    private static Map<CutNames, Set<Path>> find(QmpClient client, Path scratch) throws IOException {
        var cuts = new LinkedHashMap<CutNames, Set<Path>>();
        var names = new ArrayList<String>();
        for (JsonNode export : client.execute("query-block-exports")) {
            names.add(export.path("id").asString(""));
        }
        for (JsonNode job : client.execute("query-jobs")) {
            names.add(job.path("id").asString(""));
        }
        BlockGraph graph = BlockGraph.query(client);
        graph.nodes().forEach(node -> names.add(node.name()));
        for (String name : names) {
            CutNames.parse(name).ifPresent(cut -> cuts.computeIfAbsent(cut, c -> new LinkedHashSet<>()));
        }
        // A cut whose scratch was elsewhere tells the place itself, by its scratch node's file.
        for (BlockNode node : graph.nodes()) {
            Path folder = node.file().startsWith("/") ? Path.of(node.file()).getParent() : null;
            if (folder != null && ScratchFolder.isOne(folder)) {
                CutNames.parse(node.name()).filter(ScratchFolder.names(folder)::equals).ifPresent(cut -> cuts.get(cut).add(folder));
            }
        }
        for (Path folder : ScratchFolder.ofMachine(scratch, client.socket())) {
            cuts.computeIfAbsent(ScratchFolder.names(folder), c -> new LinkedHashSet<>()).add(folder);
        }
        return cuts;
    }
}
