package io.afterimage.app.backup;

import io.afterimage.block.ByteRange;
import io.afterimage.nbd.client.RemoteDevice;
import io.afterimage.nbd.protocol.StatusExtent;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.function.LongPredicate;

/** What an NBD server tells of a disk's changes in its metadata contexts: ordered ranges in bytes. */
final class ChangedRanges {

    private static final long CHANGED = 1;

    private ChangedRanges() {}

    /** Where flag 1 is set, as in QEMU's dirty bitmaps. */
    static List<ByteRange> flagged(RemoteDevice device, String context) throws IOException {
        return where(device, context, flags -> (flags & CHANGED) != 0);
    }

    /**
     * What lies above a base image in a backing chain, in QEMU's allocation depth: 1 for the image that is exported, 2 for the one below, 0 where
     * none has anything. Beyond the base's end all counts, since what an overlay does not have there is said to be the base's.
     *
     * @param above how many images of the chain are above the base
     * @param baseSize the base's size in bytes
     */
    static List<ByteRange> above(RemoteDevice device, String context, int above, long baseSize) throws IOException {
        List<ByteRange> ranges = new ArrayList<>();
        ByteRange within = new ByteRange(0, Math.min(baseSize, device.size()));
        for (ByteRange range : where(device, context, depth -> depth >= 1 && depth <= above)) {
            if (!range.intersect(within).isEmpty()) {
                ranges.add(range.intersect(within));
            }
        }
        if (device.size() > baseSize) {
            ranges.add(ByteRange.between(baseSize, device.size()));
        }
        return ranges;
    }

    private static List<ByteRange> where(RemoteDevice device, String context, LongPredicate changed) throws IOException {
        List<ByteRange> ranges = new ArrayList<>();
        for (StatusExtent extent : device.status(context, new ByteRange(0, device.size()))) {
            if (changed.test(extent.flags())) {
                ranges.add(extent.range());
            }
        }
        return ranges;
    }
}
