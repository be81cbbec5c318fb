package io.afterimage.boot;

import io.afterimage.profile.BootProfile;
import io.afterimage.profile.BootProfile.Read;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.TreeMap;

/**
 * What was read, in the order of time, until it is enough. Recording a read costs three stores into arrays, which grow by doubling: at most 1.3 MiB. Not thread-safe.
 */
final class Recording {

    private static final int MOST = BootProfile.MOST_READS;
    private static final int FIRST_CAPACITY = 512;

    /** Reads one behind the other are one up to this length; longer, their order among the others would be lost. */
    private static final long LONGEST = 1 << 20;

    /** Firmware and boot loaders read sectors; who reads by file systems and caches reads blocks. So many of such reads prove firmware. */
    private static final int FIRMWARE_READS = 8;

    private long[] offsets = new long[FIRST_CAPACITY];
    private long[] lengths = new long[FIRST_CAPACITY];
    private int[] millis = new int[FIRST_CAPACITY];
    private int count;
    private long bytes;
    private int sectorReads;

    /** Records a read of at least one byte; not to be called when it {@link #isFull}. */
    void add(long offset, long length, int afterMillis) {
        bytes += length;
        if (length < BootProfile.BLOCK || (offset | length) % BootProfile.BLOCK != 0) {
            sectorReads++;
        }
        int last = count - 1;
        if (count > 0 && offset == offsets[last] + lengths[last] && lengths[last] + length <= LONGEST) {
            lengths[last] += length;
            return;
        }
        if (count == offsets.length) {
            offsets = Arrays.copyOf(offsets, 2 * count);
            lengths = Arrays.copyOf(lengths, 2 * count);
            millis = Arrays.copyOf(millis, 2 * count);
        }
        offsets[count] = offset;
        lengths[count] = length;
        millis[count++] = afterMillis;
    }

    /** Whether no more fits into a profile. */
    boolean isFull() {
        return count == MOST || bytes >= BootProfile.MOST_BYTES;
    }

    /** Whether there are reads that only firmware and boot loaders make. */
    boolean showsFirmware() {
        return sectorReads >= FIRMWARE_READS;
    }

    /** Blocks in the order in which they were first touched; each is in one of the reads. As many as a profile may have. */
    List<Read> firstTouches() {
        NavigableMap<Long, Long> touched = new TreeMap<>();
        List<Read> reads = new ArrayList<>();
        long room = BootProfile.MOST_BYTES;
        for (int i = 0; i < count; i++) {
            long end = roundUp(offsets[i] + lengths[i]);
            long at = offsets[i] / BootProfile.BLOCK * BootProfile.BLOCK;
            for (long[] gap : untouched(touched, at, end)) {
                if (gap[1] - gap[0] > room || reads.size() == MOST) {
                    return reads;
                }
                room -= gap[1] - gap[0];
                append(reads, gap[0], gap[1], millis[i]);
            }
            touch(touched, at, end);
        }
        return reads;
    }

    private static long roundUp(long offset) {
        return (offset + BootProfile.BLOCK - 1) / BootProfile.BLOCK * BootProfile.BLOCK;
    }

    private static List<long[]> untouched(NavigableMap<Long, Long> touched, long begin, long end) {
        List<long[]> gaps = new ArrayList<>();
        long at = begin;
        Map.Entry<Long, Long> before = touched.floorEntry(begin);
        if (before != null) {
            at = Math.max(at, before.getValue());
        }
        if (at < end) {
            for (Map.Entry<Long, Long> next : touched.subMap(at, end).entrySet()) {
                if (at < next.getKey()) {
                    gaps.add(new long[] {at, next.getKey()});
                }
                at = next.getValue();
            }
        }
        if (at < end) {
            gaps.add(new long[] {at, end});
        }
        return gaps;
    }

    /** Takes the range in, joined with what it overlaps or meets. */
    private static void touch(NavigableMap<Long, Long> touched, long begin, long end) {
        long from = begin;
        long to = end;
        Map.Entry<Long, Long> before = touched.floorEntry(begin);
        if (before != null && before.getValue() >= begin) {
            from = before.getKey();
            to = Math.max(to, before.getValue());
        }
        Map<Long, Long> within = touched.subMap(from, true, to, true);
        for (long last : within.values()) {
            to = Math.max(to, last);
        }
        within.clear();
        touched.put(from, to);
    }

    private static void append(List<Read> reads, long begin, long end, int millis) {
        Read last = reads.isEmpty() ? null : reads.getLast();
        if (last != null && last.end() == begin && last.length() + end - begin <= LONGEST) {
            reads.set(reads.size() - 1, new Read(last.offset(), end - last.offset(), last.millis()));
        } else {
            reads.add(new Read(begin, end - begin, millis));
        }
    }
}
