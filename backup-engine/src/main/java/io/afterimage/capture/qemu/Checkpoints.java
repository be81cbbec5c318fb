package io.afterimage.capture.qemu;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Removes dirty bitmaps of Afterimage's from QEMU; those of other programs are never touched. */
final class Checkpoints {

    private final QmpClient client;

    Checkpoints(QmpClient client) {
        this.client = client;
    }

    /** Chooses by node and bitmap. */
    @FunctionalInterface
    interface Choice {
        boolean includes(String node, CheckpointBitmap bitmap) throws IOException;
    }

    /**
     * Returns what could not be removed, a sentence each. An inconsistent bitmap can be removed; one on a read-only node cannot.
     */
    List<String> remove(Choice choice) throws IOException {
        var left = new ArrayList<String>();
        for (BlockNode node : BlockGraph.query(client).nodes()) {
            for (DirtyBitmap bitmap : node.bitmaps()) {
                Optional<CheckpointBitmap> ours = CheckpointBitmap.parse(bitmap.name());
                if (ours.isPresent() && choice.includes(node.name(), ours.get())) {
                    try {
                        client.execute("block-dirty-bitmap-remove",
                                QmpClient.arguments().put("node", node.name()).put("name", bitmap.name()));
                    } catch (QmpCommandException e) {
                        left.add("The bitmap " + bitmap.name() + " stays on node " + node.name() + ": " + e.description());
                    }
                }
            }
        }
        return left;
    }

    /**
     * Removes what the newest checkpoint has replaced on these nodes. Of libvirt's, whose next backup counts from its own, the newest stays on
     * each: it removes them itself, and has forgotten those that it did not.
     */
    List<String> removeReplaced(Checkpoint newest, Collection<String> nodes) throws IOException {
        Map<String, String> newestOfLibvirt = new HashMap<>();
        for (BlockNode node : BlockGraph.query(client).nodes()) {
            node.bitmaps().stream()
                    .flatMap(bitmap -> CheckpointBitmap.parse(bitmap.name()).stream())
                    .filter(bitmap -> bitmap.isLibvirts() && bitmap.checkpoint().repository().equals(newest.repository()))
                    .map(bitmap -> bitmap.checkpoint().pointId())
                    .max(Comparator.naturalOrder()) // ids are in the order of time
                    .ifPresent(point -> newestOfLibvirt.put(node.name(), point));
        }
        return remove((node, bitmap) -> nodes.contains(node)
                && bitmap.checkpoint().repository().equals(newest.repository())
                && !bitmap.checkpoint().pointId().equals(bitmap.isLibvirts() ? newestOfLibvirt.get(node) : newest.pointId()));
    }
}
