package io.afterimage.capture.libvirt;

import io.afterimage.capture.qemu.Changes;
import io.afterimage.capture.qemu.Checkpoint;
import io.afterimage.capture.qemu.CutPlan;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * What a cut is to do.
 *
 * @param machine as it was found
 * @param checkpoint the new point's; it begins on every disk that keeps checkpoints
 * @param disks at least one
 * @param scratch the folder under which the cut makes a private one, for what the guest overwrites; QEMU's user must be able to
 *     reach it
 * @param scratchReserve bytes: when less is left free there, the backup is given up, before a full scratch would stop the guest
 */
public record LibvirtCutPlan(LibvirtMachine machine, Checkpoint checkpoint, List<Disk> disks, Path scratch, long scratchReserve) {

    public LibvirtCutPlan {
        disks = List.copyOf(disks);
        scratch = scratch.toAbsolutePath().normalize();
        if (disks.isEmpty()) {
            throw new IllegalArgumentException("a cut without disks");
        }
    }

    /** A disk, and the point that its changes are wanted since; empty for all of it. */
    public record Disk(LibvirtDisk disk, Optional<CutPlan.Base> base) {}

    /** The checkpoint that holds every change of a disk since its base, or why there is none. */
    Changes.Source changes(Disk entry) {
        if (entry.base().isEmpty()) {
            return unknown("the point it builds on does not have it");
        }
        CutPlan.Base base = entry.base().get();
        LibvirtDisk disk = entry.disk();
        if (!disk.storesBitmaps()) {
            return unknown("libvirt keeps checkpoints in qcow2 images of version 3 only, and its format is "
                    + disk.format() + (disk.format().equals("qcow2") ? " of version 2" : ""));
        }
        if (disk.size() != base.diskSize()) {
            return unknown("it was resized from " + base.diskSize() + " to " + disk.size() + " bytes");
        }
        Optional<DomainCheckpoint> found = machine.checkpoint(checkpoint.repository(), base.pointId());
        if (found.isEmpty() || !found.get().disks().contains(disk.target())) {
            return unknown("libvirt has no checkpoint of point " + base.pointId()
                    + " on it (another disk, a domain that was defined anew, or a backup over QMP or of the machine under another name)");
        }
        if (!found.get().sound().contains(disk.target())) {
            return unknown("its checkpoint is broken, because QEMU did not end cleanly, or its bitmap was removed behind libvirt's back");
        }
        if (base.libvirtImage().filter(disk.images()::contains).isEmpty()) {
            return unknown("its checkpoint is of another image: it was in "
                    + base.libvirtImage().orElse("one that is not known") + " at point " + base.pointId());
        }
        return new Changes.Source("", found.get().id().name(), 0, "");
    }

    private static Changes.Source unknown(String reason) {
        return Changes.Source.none(reason);
    }
}
