package io.afterimage.app.boot;

import io.afterimage.catalog.HeldPoint;
import io.afterimage.catalog.LastingHolds;
import io.afterimage.catalog.Point;
import io.afterimage.manifest.DiskName;
import io.afterimage.manifest.MachineName;
import io.afterimage.manifest.PointId;
import java.io.IOException;
import java.util.Optional;
import java.util.UUID;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A disk on its way from a point to a {@link LocalImage}. What it still needs of the point is held in the repository from before the machine first writes until all has moved,
 * however many boots that takes: as with an overlay, what was written is worth nothing without the rest.
 *
 * @param base whose disk it is; it may have been forgotten since
 * @param hold names what keeps the base in the repository
 */
public record Migration(LocalImage image, HeldPoint base, DiskName disk, UUID hold) {

    private static final String PROTOCOL = "afterimage:";
    private static final Pattern BELOW = Pattern.compile(
            PROTOCOL + "([^/@]+)/([^/@]+)@([0-9a-f]{32})\\?manifest=([0-9]{1,18})-([0-9a-f]{64})&hold=([0-9a-f-]{36})");

    /** What lies below the image, in words for its header that QEMU cannot open. */
    String below() {
        return PROTOCOL + this + "?manifest=" + base.manifest().length() + "-" + base.manifest().sha256() + "&hold=" + hold;
    }

    /** What {@link #below} has written; empty if it has not written that. */
    static Optional<Migration> parse(LocalImage image, String below) {
        Matcher parts = BELOW.matcher(below);
        if (!parts.matches()) {
            return Optional.empty();
        }
        try {
            Point.Seal seal = new Point.Seal(Long.parseLong(parts.group(4)), parts.group(5));
            HeldPoint base = new HeldPoint(new MachineName(parts.group(1)), new PointId(parts.group(3)), seal);
            return Optional.of(new Migration(image, base, new DiskName(parts.group(2)), UUID.fromString(parts.group(6))));
        } catch (IllegalArgumentException _) {
            return Optional.empty();
        }
    }

    /** Holds what is still needed; false if it cannot be had any more. */
    boolean hold(LastingHolds holds) throws IOException {
        return holds.isThere(hold) || holds.add(hold, base);
    }

    /** The name of the base's disk, as selectors have it. */
    @Override
    public String toString() {
        return base.machine() + "/" + disk + "@" + base.point();
    }
}
