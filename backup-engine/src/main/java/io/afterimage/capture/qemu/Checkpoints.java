package io.afterimage.capture.qemu;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Removes dirty bitmaps of Afterimage's from QEMU; those of other programs are never touched. */
final class Checkpoints {

    private final QmpClient client;

    Checkpoints(QmpClient client) {
        this.client = client;
    }

    /** Chooses by node and checkpoint. */
    @FunctionalInterface
    interface Choice {
        boolean includes(String node, Checkpoint checkpoint) throws IOException;
    }

    /**
     * Returns what could not be removed, a sentence each. An inconsistent bitmap can be removed; one on a read-only node cannot.
     */
    List<String> remove(Choice choice) throws IOException {
        var left = new ArrayList<String>();
        for (BlockNode node : BlockGraph.query(client).nodes()) {
            for (DirtyBitmap bitmap : node.bitmaps()) {
                Optional<Checkpoint> checkpoint = Checkpoint.parse(bitmap.name());
                if (checkpoint.isPresent() && choice.includes(node.name(), checkpoint.get())) {
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
}
