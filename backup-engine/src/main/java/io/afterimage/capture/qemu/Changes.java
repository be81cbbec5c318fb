package io.afterimage.capture.qemu;

import java.util.Optional;

/** What is known of a disk's changes since an earlier point. */
public sealed interface Changes {

    /**
     * QEMU recorded them all.
     *
     * @param context the NBD metadata context that tells them: {@code qemu:dirty-bitmap:...}, flag 1 is dirty
     * @param dirtyBytes what QEMU counts: whole granules, so maybe a little past the disk's end
     */
    record Recorded(String context, long dirtyBytes) implements Changes {}

    /** Nothing: the disk must be read whole, and {@code reason} tells the user why. */
    record Unknown(String reason) implements Changes {}

    /** The bitmap on the disk that holds every change since {@code base}, or why there is none. */
    static Source find(QemuDisk disk, Optional<CutPlan.Base> base, Checkpoint checkpoint) {
        if (base.isEmpty()) {
            return new Source("", "there is no earlier point of it");
        }
        String pointId = base.get().pointId();
        Optional<DirtyBitmap> found = disk.bitmaps().stream()
                .filter(bitmap -> bitmap.name().equals(checkpoint.at(pointId).bitmapName()))
                .findFirst();
        if (found.isEmpty()) {
            return new Source("", "QEMU has no checkpoint of point " + pointId + " on it (a restart, a snapshot, or another disk)");
        }
        DirtyBitmap bitmap = found.get();
        if (bitmap.inconsistent()) {
            return new Source("", "its checkpoint is inconsistent, because QEMU did not end cleanly");
        }
        if (disk.size() != base.get().diskSize()) {
            return new Source("", "it was resized from " + base.get().diskSize() + " to " + disk.size() + " bytes");
        }
        if (!bitmap.recording()) {
            return new Source("", "its checkpoint was disabled by another program");
        }
        if (bitmap.busy()) {
            return new Source("", "its checkpoint is in use by another program");
        }
        return new Source(bitmap.name(), "");
    }

    /** Either a bitmap's name or the reason why there is none; the other is "". */
    record Source(String bitmap, String reason) {

        public boolean isRecorded() {
            return !bitmap.isEmpty();
        }
    }
}
