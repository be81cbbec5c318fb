package io.afterimage.app.backup;

import io.afterimage.app.image.QemuImage;
import io.afterimage.capture.qemu.Checkpoint;
import io.afterimage.capture.qemu.CheckpointBitmap;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Goes on with the checkpoints of a machine that was stopped, in its qcow2 files: images that have some of this repository get the new point's
 * before they are read, and lose the older ones when the point is there. Images without any are left as they are; they are not ours to change.
 *
 * <p>The new bitmap comes first, and while the image is read QEMU's lock keeps all writers out: so whatever is written, by whomever, is in
 * it. Killed in between, the image has one bitmap too many, which the next backup takes away.
 */
final class OfflineCheckpoints {

    private static final Logger LOG = LoggerFactory.getLogger(OfflineCheckpoints.class);

    private final Checkpoint current;
    private final List<Begun> begun = new ArrayList<>();

    private OfflineCheckpoints(Checkpoint current) {
        this.current = current;
    }

    /** An image, and the bitmap that is new in it. */
    private record Begun(QemuImage image, CheckpointBitmap bitmap) {}

    static OfflineCheckpoints begin(Checkpoint current, long granularity, List<OfflineDisk> disks) {
        OfflineCheckpoints checkpoints = new OfflineCheckpoints(current);
        for (OfflineDisk disk : disks) {
            if (disk.qcow2().isPresent() && disk.qcow2().get().checkpoints().stream().anyMatch(checkpoints::isOurs)) {
                try {
                    Begun begun = new Begun(disk.qcow2().get(), current.on(disk.name().text()));
                    begun.image().add(begun.bitmap(), granularity);
                    checkpoints.begun.add(begun);
                } catch (IOException e) {
                    // It may be read-only, or in use as another one's base: then the older bitmap stays what counts.
                    LOG.info("No checkpoint begins in {}: {}", disk.file(), e.getMessage());
                }
            }
        }
        return checkpoints;
    }

    private boolean isOurs(QemuImage.Stored stored) {
        return stored.bitmap().checkpoint().repository().equals(current.repository());
    }

    /** The point is there: all but its own go, and libvirt's, which libvirt looks after. */
    void committed() {
        for (Begun each : begun) {
            each.image().checkpoints().stream()
                    .filter(stored -> isOurs(stored) && !stored.bitmap().isLibvirts())
                    .forEach(stored -> remove(each.image(), stored.bitmap()));
        }
    }

    /** The point does not and will not exist. */
    void failed() {
        begun.forEach(each -> remove(each.image(), each.bitmap()));
    }

    private static void remove(QemuImage image, CheckpointBitmap bitmap) {
        try {
            image.remove(bitmap);
        } catch (IOException e) {
            LOG.warn("The bitmap {} stays in {} until the next backup: {}", bitmap.name(), image.file(), e.getMessage());
        }
    }
}
