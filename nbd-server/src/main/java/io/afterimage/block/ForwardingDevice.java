package io.afterimage.block;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.List;

/**
 * A device that passes everything on to another one but the ways to read, which are the decorator's own affair: a shortcut into memory
 * that went around it would not be noticed. As thread-safe as the device below.
 */
public abstract class ForwardingDevice implements BlockDevice {

    private final BlockDevice device;

    /** @param device closed with this one */
    protected ForwardingDevice(BlockDevice device) {
        this.device = device;
    }

    /** The device below. */
    protected final BlockDevice device() {
        return device;
    }

    @Override
    public long size() {
        return device.size();
    }

    @Override
    public List<Extent> extents(ByteRange range, int limit) throws IOException {
        return device.extents(range, limit);
    }

    @Override
    public boolean canWrite() {
        return device.canWrite();
    }

    @Override
    public boolean canZeroFast() {
        return device.canZeroFast();
    }

    @Override
    public void write(long offset, ByteBuffer source) throws IOException {
        device.write(offset, source);
    }

    @Override
    public void zero(ByteRange range, boolean mayFree) throws IOException {
        device.zero(range, mayFree);
    }

    @Override
    public void trim(ByteRange range) throws IOException {
        device.trim(range);
    }

    @Override
    public void flush() throws IOException {
        device.flush();
    }

    @Override
    public void checkRange(long offset, long length) {
        device.checkRange(offset, length);
    }

    @Override
    public void close() throws IOException {
        device.close();
    }
}
