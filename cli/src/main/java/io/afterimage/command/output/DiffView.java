package io.afterimage.command.output;

import io.afterimage.block.ByteRange;
import io.afterimage.settings.ByteSize;
import java.util.ArrayList;
import java.util.List;

/**
 * Where a disk differs between two points, as {@code --json} shows it.
 *
 * @param disk its name
 * @param bytes in all ranges together
 * @param ranges offset and length in bytes, ordered
 */
public record DiffView(String disk, long bytes, List<ByteRange> ranges) {

    public static DiffView of(String disk, List<ByteRange> changed) {
        return new DiffView(disk, changed.stream().mapToLong(ByteRange::length).sum(), changed);
    }

    /** One line a disk. */
    public static String table(List<DiffView> views) {
        List<List<String>> rows = new ArrayList<>();
        rows.add(List.of("DISK", "CHANGED", "RANGES"));
        views.forEach(view -> rows.add(List.of(view.disk, ByteSize.format(view.bytes), String.valueOf(view.ranges.size()))));
        return TextTable.of(rows);
    }
}
