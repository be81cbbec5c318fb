package io.afterimage.nbd.server;

import io.afterimage.block.BlockDevice;
import io.afterimage.nbd.protocol.BlockSizes;

/**
 * An opened export. Its device is closed by the server when the last connection that uses it has gone.
 *
 * @param device what is served; read-only if it cannot write
 * @param description words for people; may be empty
 * @param contexts metadata contexts beside {@code base:allocation}
 * @param blockSizes what clients are told to keep to
 */
public record Export(BlockDevice device, String description, Contexts contexts, BlockSizes blockSizes) {

    public Export(BlockDevice device, String description) {
        this(device, description, Contexts.NONE, BlockSizes.DEFAULT);
    }

    /** The same export with one more context. */
    public Export withContext(String name, StatusSource source) {
        return new Export(device, description, contexts.and(name, source), blockSizes);
    }
}
