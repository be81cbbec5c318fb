package io.afterimage.capture;

import io.afterimage.block.BlockDevice;
import io.afterimage.block.ByteRange;
import io.afterimage.manifest.DiskName;
import java.util.List;
import java.util.Optional;

/**
 * A disk as it stood at the instant of the point.
 *
 * @param name the disk's name in the repository
 * @param device its bytes; must not change while it is read. Closed by whoever opened it
 * @param changed every range that may differ from the disk in the parent point, zeroed ones included, ordered and not
 *     overlapping; empty when that is not known, and the disk is to be read whole
 * @param reason why the disk is read whole though the machine has a parent point; one clause
 * @param pace by which whoever computes on what was read rests; the device keeps to its rate by itself ({@link PacedDevice})
 */
public record SourceDisk(
        DiskName name, BlockDevice device, Optional<List<ByteRange>> changed, Optional<String> reason, Pace pace)
        implements DiskSource {

    @Override
    public long size() {
        return device.size();
    }

    @Override
    public Optional<Long> dirty() {
        return changed.map(ranges -> ranges.stream().mapToLong(ByteRange::length).sum());
    }

    /** A disk that is read whole. */
    public static SourceDisk whole(DiskName name, BlockDevice device, Optional<String> reason) {
        return new SourceDisk(name, device, Optional.empty(), reason, Pace.unlimited());
    }

    /** A disk of which the changes are known. */
    public static SourceDisk changed(DiskName name, BlockDevice device, List<ByteRange> changed) {
        return new SourceDisk(name, device, Optional.of(changed), Optional.empty(), Pace.unlimited());
    }

    /** The same disk, of a machine that runs. */
    public SourceDisk at(Pace newPace) {
        return new SourceDisk(name, device, changed, reason, newPace);
    }
}
