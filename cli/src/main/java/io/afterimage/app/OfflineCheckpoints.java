package io.afterimage.app;

import io.afterimage.capture.qemu.Checkpoint;
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
    private final List<QemuImage> images = new ArrayList<>();

    private OfflineCheckpoints(Checkpoint current) {
        this.current = current;
    }

    static OfflineCheckpoints begin(Checkpoint current, long granularity, List<OfflineDisk> disks) {
        OfflineCheckpoints begun = new OfflineCheckpoints(current);
        for (OfflineDisk disk : disks) {
            if (disk.qcow2().isPresent() && disk.qcow2().get().checkpoints().stream().anyMatch(begun::isOurs)) {
                try {
                    disk.qcow2().get().add(current, granularity);
                    begun.images.add(disk.qcow2().get());
                } catch (IOException e) {
                    // It may be read-only, or in use as another one's base: then the older bitmap stays what counts.
                    LOG.info("No checkpoint begins in {}: {}", disk.file(), e.getMessage());
                }
            }
        }
        return begun;
    }

    private boolean isOurs(QemuImage.Stored stored) {
        return stored.checkpoint().repository().equals(current.repository());
    }

    /** The point is there: all but its own go. */
    void committed() {
        for (QemuImage image : images) {
            image.checkpoints().stream().filter(this::isOurs).forEach(stored -> remove(image, stored.checkpoint()));
        }
    }

    /** The point does not and will not exist. */
    void failed() {
        images.forEach(image -> remove(image, current));
    }

    private static void remove(QemuImage image, Checkpoint checkpoint) {
        try {
            image.remove(checkpoint);
        } catch (IOException e) {
            LOG.warn("The bitmap {} stays in {} until the next backup: {}", checkpoint.bitmapName(), image.file(), e.getMessage());
        }
    }
}
