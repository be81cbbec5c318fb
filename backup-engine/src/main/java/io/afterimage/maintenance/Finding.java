package io.afterimage.maintenance;

import io.afterimage.block.ByteRange;
import io.afterimage.manifest.DiskName;
import io.afterimage.manifest.MachineName;
import io.afterimage.manifest.PointId;
import io.afterimage.store.ObjectKey;
import java.util.List;

/**
 * An object that is damaged.
 *
 * @param object its key
 * @param problem one clause that says what is wrong with it
 * @param touched what cannot be read because of it; empty when all can be read in spite of it
 */
public record Finding(ObjectKey object, String problem, List<Touched> touched) {

    public Finding {
        touched = List.copyOf(touched);
    }

    /**
     * What a damaged object touches of one disk.
     *
     * @param ranges ordered, of whole chunks, cut at the disk's end; not empty
     */
    public record Touched(MachineName machine, PointId point, DiskName disk, List<ByteRange> ranges) {

        public Touched {
            ranges = List.copyOf(ranges);
        }
    }
}
