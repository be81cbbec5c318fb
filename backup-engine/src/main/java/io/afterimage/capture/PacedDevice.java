package io.afterimage.capture;

import io.afterimage.block.BlockDevice;
import io.afterimage.block.ByteRange;
import io.afterimage.block.Extent;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.List;

/**
 * A device that is read at a {@link Pace}. Of writes only the requests are counted: their sender keeps to the rate by itself. What a source tells without reading, and zeroes without
 * writing, is free. Offers no shortcuts into memory, which would go around the pace.
 *
 * @param device closed with this one
 */
public record PacedDevice(BlockDevice device, Pace pace) implements BlockDevice {

    @Override
    public long size() {
        return device.size();
    }

    @Override
    public void read(long offset, ByteBuffer target) throws IOException {
        pace.run(target.remaining(), () -> device.read(offset, target));
    }

    @Override
    public void write(long offset, ByteBuffer source) throws IOException {
        pace.run(0, () -> device.write(offset, source));
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
    public void close() throws IOException {
        device.close();
    }
}
