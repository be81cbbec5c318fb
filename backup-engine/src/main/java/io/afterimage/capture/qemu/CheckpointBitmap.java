package io.afterimage.capture.qemu;

import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The dirty bitmap of a checkpoint on one disk, by its name in QEMU. Ours is named after the disk as well, so that an image which has become
 * another disk of the machine, by a swap, a copy or a restore, is not taken for the one whose changes it counts. libvirt gives its bitmaps the
 * name of the checkpoint alone.
 *
 * @param disk the disk's name in the repository; empty when libvirt made the bitmap, and looks after it
 */
public record CheckpointBitmap(Checkpoint checkpoint, Optional<String> disk) {

    private static final Pattern NAME = Pattern.compile("(afterimage-[0-9a-f]{8}-[0-9a-f]{32})(?:-([A-Za-z0-9][A-Za-z0-9._-]*))?");

    /** The bitmap of this name; empty when it is not Afterimage's. */
    public static Optional<CheckpointBitmap> parse(String bitmapName) {
        Matcher name = NAME.matcher(bitmapName);
        return name.matches()
                ? Checkpoint.parse(name.group(1)).map(checkpoint -> new CheckpointBitmap(checkpoint, Optional.ofNullable(name.group(2))))
                : Optional.empty();
    }

    public String name() {
        return checkpoint.name() + disk.map(text -> "-" + text).orElse("");
    }

    public boolean isLibvirts() {
        return disk.isEmpty();
    }

    /**
     * Whether it counts what has changed since the base point, by its name.
     *
     * @param image the file of the image that it is on
     */
    public boolean counts(CutPlan.Base base, String image) {
        return checkpoint.pointId().equals(base.pointId())
                && disk.map(base.disk()::equals).orElseGet(() -> base.libvirtImage().filter(image::equals).isPresent());
    }
}
