package io.afterimage.fuse.tree;

import io.afterimage.catalog.Point;
import java.util.List;
import java.util.Locale;
import java.util.SortedMap;
import java.util.TreeMap;

/** The extended attributes of a point's folder, which its disks have too. */
final class PointAttributes {

    static final String PREFIX = Node.EXTENDED_ATTRIBUTES;

    private static final String CHANGED = PREFIX + "changed_bytes";
    private static final String KIND = PREFIX + "kind";
    private static final String MACHINE = PREFIX + "machine";
    private static final String PARENT = PREFIX + "parent";
    private static final String POINT = PREFIX + "point";
    private static final String TIME = PREFIX + "time";

    /** Those that every point has. */
    static final List<String> NAMES = List.of(CHANGED, KIND, MACHINE, POINT, TIME);

    private PointAttributes() {}

    static SortedMap<String, String> of(Point point) {
        SortedMap<String, String> values = new TreeMap<>();
        values.put(CHANGED, Long.toString(point.bytes().dirty()));
        values.put(KIND, point.kind().name().toLowerCase(Locale.ROOT));
        values.put(MACHINE, point.machine().text());
        values.put(POINT, point.id().hex());
        values.put(TIME, point.time().toString());
        point.parent().ifPresent(parent -> values.put(PARENT, parent.hex()));
        return values;
    }
}
