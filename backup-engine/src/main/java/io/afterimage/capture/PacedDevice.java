package io.afterimage.capture;

import io.afterimage.block.BlockDevice;
import io.afterimage.block.ForwardingDevice;
import java.io.IOException;
import java.nio.ByteBuffer;

/**
 * A device that is read at a {@link Pace}. Writes only count, as requests and as bytes: their sender keeps to the rate by itself. What a source tells without reading, and zeroes without
 * writing, is free. Offers no shortcuts into memory, which would go around the pace.
 */
public final class PacedDevice extends ForwardingDevice {

    private final Pace pace;

    /** @param device closed with this one */
    public PacedDevice(BlockDevice device, Pace pace) {
        super(device);
        this.pace = pace;
    }

    @Override
    public void read(long offset, ByteBuffer target) throws IOException {
        pace.run(target.remaining(), () -> device().read(offset, target));
    }

    @Override
    public void write(long offset, ByteBuffer source) throws IOException {
        pace.runUncharged(source.remaining(), () -> device().write(offset, source));
    }
}
