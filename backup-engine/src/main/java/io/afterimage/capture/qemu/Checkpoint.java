package io.afterimage.capture.qemu;

import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The dirty bitmap that starts at a point, by its name in QEMU: {@code afterimage-<repository>-<point>}. The name keeps the
 * bitmaps of several repositories, and those of other programs, apart.
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

    /** The checkpoint whose bitmap has this name; empty when the bitmap is not Afterimage's. */
    public static Optional<Checkpoint> parse(String bitmapName) {
        Matcher name = NAME.matcher(bitmapName);
        return name.matches() ? Optional.of(new Checkpoint(name.group(1), name.group(2))) : Optional.empty();
    }

    /** The same repository's checkpoint at another point. */
    public Checkpoint at(String otherPointId) {
        return new Checkpoint(repository, otherPointId);
    }

    public String bitmapName() {
        return "afterimage-" + repository + "-" + pointId;
    }
}
