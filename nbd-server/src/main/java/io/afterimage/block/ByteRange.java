package io.afterimage.block;

import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;

/**
 * A half-open range of bytes {@code [offset, end)} of a device.
 *
 * @param offset first byte, at least 0
 * @param length number of bytes, at least 0; {@code offset + length} never overflows
 */
public record ByteRange(long offset, long length) {

    public ByteRange {
        if (offset < 0 || length < 0 || offset > Long.MAX_VALUE - length) {
            throw new IllegalArgumentException("not a byte range: offset " + offset + ", length " + length);
        }
    }

    /** The range from {@code start} up to, not including, {@code end}. */
    public static ByteRange between(long start, long end) {
        return new ByteRange(start, end - start);
    }

    /** The first byte behind the range. */
    public long end() {
        return offset + length;
    }

    public boolean isEmpty() {
        return length == 0;
    }

    /** The part that both ranges share; empty, at the later of the two offsets, when they share nothing. */
    public ByteRange intersect(ByteRange other) {
        long start = Math.max(offset, other.offset);
        return new ByteRange(start, Math.max(0, Math.min(end(), other.end()) - start));
    }

    /** What lies in any of the ranges: ordered, neither overlapping nor touching, none of them empty. */
    public static List<ByteRange> union(Collection<ByteRange> ranges) {
        List<ByteRange> sorted = ranges.stream().filter(range -> !range.isEmpty()).sorted(Comparator.comparingLong(ByteRange::offset)).toList();
        List<ByteRange> union = new ArrayList<>();
        for (ByteRange range : sorted) {
            if (!union.isEmpty() && range.offset() <= union.getLast().end()) {
                ByteRange last = union.removeLast();
                union.add(between(last.offset(), Math.max(last.end(), range.end())));
            } else {
                union.add(range);
            }
        }
        return union;
    }
}
