package io.afterimage.nbd.server;

import io.afterimage.block.BlockDevice;
import java.io.IOException;
import java.nio.ByteBuffer;

/** A device that may only be read. */
record ReadOnlyView(BlockDevice device) implements BlockDevice {

    @Override
    public long size() {
        return device.size();
    }

    @Override
    public void read(long offset, ByteBuffer target) throws IOException {
        device.read(offset, target);
    }

    @Override
    public void close() throws IOException {
        device.close();
    }
}
