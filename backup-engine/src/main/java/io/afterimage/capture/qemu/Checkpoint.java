package io.afterimage.capture.qemu;

import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A point, as what begins at it is called on a machine: {@code afterimage-<repository>-<point>}. The name keeps the checkpoints of several
 * repositories, and those of other programs, apart.
 *
 * @param repository the first 8 hexadecimal digits of the repository's id
 * @param pointId 32 lower-case hexadecimal digits
 */
public record Checkpoint(String repository, String pointId) {

    private static final Pattern NAME = Pattern.compile("afterimage-([0-9a-f]{8})-([0-9a-f]{32})");

    public Checkpoint {
        if (!NAME.matcher("afterimage-" + repository + "-" + pointId).matches()) {
            throw new IllegalArgumentException("not a checkpoint: repository '" + repository + "', point '" + pointId + "'");
        }
    }

    /** The checkpoint of this name; empty when it is not Afterimage's. */
    public static Optional<Checkpoint> parse(String checkpointName) {
        Matcher name = NAME.matcher(checkpointName);
        return name.matches() ? Optional.of(new Checkpoint(name.group(1), name.group(2))) : Optional.empty();
    }

    /** The same repository's checkpoint at another point. */
    public Checkpoint at(String otherPointId) {
        return new Checkpoint(repository, otherPointId);
    }

    /** As libvirt has it. */
    public String name() {
        return "afterimage-" + repository + "-" + pointId;
    }

    /** The bitmap that it is on a disk, where libvirt did not make it. */
    public CheckpointBitmap on(String disk) {
        return new CheckpointBitmap(this, Optional.of(disk));
    }

    /** The bitmap that it is on each of its disks, where libvirt made it. */
    public CheckpointBitmap byLibvirt() {
        return new CheckpointBitmap(this, Optional.empty());
    }
}
