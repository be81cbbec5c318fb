package io.afterimage.boot;

import io.afterimage.manifest.DiskName;
import io.afterimage.manifest.MachineName;
import io.afterimage.manifest.PointId;

/** Which disk, as of when. */
record BootedDisk(MachineName machine, DiskName disk, PointId point) {

    @Override
    public String toString() {
        return machine + "/" + disk;
    }
}
