package io.afterimage.app.backup;

import io.afterimage.app.SourceException;
import io.afterimage.block.BlockDevice;
import io.afterimage.block.ByteRange;
import io.afterimage.block.Extent;
import io.afterimage.block.ForwardingDevice;
import io.afterimage.capture.SourceDisk;
import io.afterimage.manifest.DiskName;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.List;

/** A disk that is backed up: whatever keeps it from being read is told by its name, as a trouble of the source's and of nobody else's. */
final class SourceDevice extends ForwardingDevice {

    private final DiskName name;

    /** @param device closed with this one */
    SourceDevice(DiskName name, BlockDevice device) {
        super(device);
        this.name = name;
    }

    /** The same disk, read through one. */
    static SourceDisk over(SourceDisk disk) {
        return new SourceDisk(disk.name(), new SourceDevice(disk.name(), disk.device()), disk.changed(), disk.reason(), disk.pace());
    }

    @Override
    public void read(long offset, ByteBuffer target) throws IOException {
        try {
            device().read(offset, target);
        } catch (IOException e) {
            throw unreadable(offset, e);
        }
    }

    @Override
    public List<Extent> extents(ByteRange range, int limit) throws IOException {
        try {
            return device().extents(range, limit);
        } catch (IOException e) {
            throw unreadable(range.offset(), e);
        }
    }

    private SourceException unreadable(long offset, IOException cause) {
        String reason = cause.getMessage() == null ? cause.toString() : cause.getMessage();
        return new SourceException("The disk " + name + " cannot be read at " + offset + ": " + reason + (reason.endsWith(".") ? "" : "."), cause);
    }
}
