package io.afterimage.fuse.tree;

import io.afterimage.manifest.PointId;
import java.time.DateTimeException;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.List;
import java.util.Optional;

/**
 * The name of a point's folder: when its capture began, in UTC and to the millisecond, in the basic format of ISO 8601, since programs that take paths, such as
 * guestfish, fio and rsync, stumble over colons. Of several points of one millisecond, which two repositories
 * copied into one may have, the first has that name, and the others have the rest of their ids behind it. Names sort as ids do.
 */
final class PointName {

    private static final DateTimeFormatter TIME = DateTimeFormatter.ofPattern("uuuuMMdd'T'HHmmss.SSSX").withZone(ZoneOffset.UTC);
    private static final int TIME_DIGITS = PointId.timeDigits(Instant.EPOCH).length();

    private PointName() {}

    /** The name of one of a machine's points, which are given by id. */
    static String of(List<PointId> points, int index) {
        PointId point = points.get(index);
        String time = TIME.format(point.time());
        boolean first = index == 0 || !digits(points.get(index - 1)).equals(digits(point));
        return first ? time : time + "-" + point.hex().substring(TIME_DIGITS);
    }

    private static String digits(PointId point) {
        return point.hex().substring(0, TIME_DIGITS);
    }

    /** Where in a machine's points that name leads. The name with the rest of the id leads there always. */
    static Optional<Integer> find(List<PointId> points, String name) {
        int zone = name.indexOf('Z');
        if (zone < 0) {
            return Optional.empty();
        }
        try {
            Instant time = TIME.parse(name.substring(0, zone + 1), Instant::from);
            if (time.isBefore(Instant.EPOCH) || !TIME.format(time).equals(name.substring(0, zone + 1))) {
                return Optional.empty();
            }
            String digits = PointId.timeDigits(time);
            if (zone == name.length() - 1) {
                int index = Listings.insertion(points, digits);
                return index < points.size() && digits(points.get(index)).equals(digits) ? Optional.of(index) : Optional.empty();
            }
            return name.charAt(zone + 1) == '-' ? Listings.index(points, digits + name.substring(zone + 2)) : Optional.empty();
        } catch (DateTimeException _) {
            return Optional.empty();
        }
    }
}
