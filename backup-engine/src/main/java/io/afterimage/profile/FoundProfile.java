package io.afterimage.profile;

import io.afterimage.manifest.DiskName;
import io.afterimage.manifest.MachineName;

/**
 * A profile for a disk, and whose it is.
 *
 * @param place the disk's own, or that of a disk below it in its machine's backup tree
 */
public record FoundProfile(BootProfile profile, Place place) {

    /** A disk of a machine, whatever the point. */
    public record Place(MachineName machine, DiskName disk) {

        @Override
        public String toString() {
            return machine + "/" + disk;
        }
    }

    /** Whether another machine's boot left it. */
    public boolean isInheritedBy(MachineName machine) {
        return !place.machine().equals(machine);
    }
}
