package io.afterimage.manifest;

import io.afterimage.block.ByteRange;
import java.util.List;

/**
 * One disk of a point.
 *
 * @param name unique within the point
 * @param map where its chunks lie
 * @param changed what differs from the parent point, zeros included: ordered ranges of whole chunks, cut at the disk's end;
 *     everything when the parent has no such disk
 */
public record DiskMap(DiskName name, BlockMap map, List<ByteRange> changed) {

    public DiskMap {
        changed = List.copyOf(changed);
    }

    /** The disk's size in bytes. */
    public long size() {
        return map.diskSize();
    }
}
