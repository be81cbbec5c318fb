package io.afterimage.nbd.server;

import io.afterimage.block.BlockDevice;
import io.afterimage.block.ForwardingDevice;
import java.io.IOException;
import java.nio.ByteBuffer;

/** A device with a bad stretch; nothing of it is resident. */
final class FaultyDevice extends ForwardingDevice {

    private volatile long badStart;
    private volatile long badEnd;

    FaultyDevice(BlockDevice device) {
        super(device);
    }

    void failAt(long start, long end) {
        badStart = start;
        badEnd = end;
    }

    @Override
    public void read(long offset, ByteBuffer target) throws IOException {
        check(offset, target.remaining());
        device().read(offset, target);
    }

    @Override
    public void write(long offset, ByteBuffer source) throws IOException {
        check(offset, source.remaining());
        device().write(offset, source);
    }

    private void check(long offset, long length) throws IOException {
        if (offset < badEnd && offset + length > badStart) {
            throw new IOException("a bad sector under /secret/path");
        }
    }
}
