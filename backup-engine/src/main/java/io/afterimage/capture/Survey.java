package io.afterimage.capture;

import io.afterimage.block.BlockDevice;
import io.afterimage.block.ByteRange;
import io.afterimage.block.Extent;
import io.afterimage.chunk.ChunkSize;
import java.io.IOException;
import java.util.ArrayDeque;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.Queue;

/**
 * Walks over the ranges of a disk that are to be captured, as whole chunks in the order of the disk, and tells which of them the
 * source knows to be zeros. A chunk of which only a part is known to be zeros is to be read. For one thread.
 */
final class Survey {

    private static final int EXTENTS_AT_ONCE = 4096;

    private final BlockDevice device;
    private final ChunkSize chunkSize;
    private final Iterator<ByteRange> ranges;
    private final Queue<ChunkRange> ready = new ArrayDeque<>();

    /** What is left of the present range, in chunks; all before {@code next} is done. */
    private long next;

    private long end;

    /** @param ranges ordered, not overlapping, within the device */
    Survey(BlockDevice device, ChunkSize chunkSize, List<ByteRange> ranges) {
        this.device = device;
        this.chunkSize = chunkSize;
        this.ranges = ranges.iterator();
    }

    boolean hasNext() throws IOException {
        while (ready.isEmpty()) {
            while (next >= end) {
                if (!ranges.hasNext()) {
                    return false;
                }
                ByteRange range = ranges.next();
                // Two ranges may share a chunk.
                next = Math.max(next, range.offset() / chunkSize.bytes());
                end = Math.max(end, chunkSize.count(range.end()));
            }
            survey();
        }
        return true;
    }

    ChunkRange next() throws IOException {
        if (!hasNext()) {
            throw new NoSuchElementException();
        }
        return ready.remove();
    }

    private void survey() throws IOException {
        ByteRange range = ByteRange.between(next * chunkSize.bytes(), Math.min(end * chunkSize.bytes(), device.size()));
        List<Extent> extents = device.extents(range, EXTENTS_AT_ONCE);
        long known = extents.getLast().range().end();
        long knownChunks = known == range.end() ? end : known / chunkSize.bytes();
        if (knownChunks == next) {
            // More extents in one chunk than were asked for: it is read, whatever they say.
            ready.add(new ChunkRange(next, next + 1, false));
            next++;
            return;
        }
        long zerosFrom = range.offset();
        for (Extent extent : extents) {
            if (!extent.kind().readsAsZeros()) {
                addZeros(zerosFrom, extent.range().offset(), knownChunks);
                zerosFrom = extent.range().end();
            }
        }
        addZeros(zerosFrom, known, knownChunks);
        if (next < knownChunks) {
            ready.add(new ChunkRange(next, knownChunks, false));
            next = knownChunks;
        }
    }

    /** Bytes {@code [from, to)} are zeros, and all between {@code next} and there that is not a whole chunk of them is not. */
    private void addZeros(long from, long to, long limit) {
        long first = chunkSize.count(from);
        long last = Math.min(limit, to == device.size() ? chunkSize.count(to) : to / chunkSize.bytes());
        if (first < last) {
            if (next < first) {
                ready.add(new ChunkRange(next, first, false));
            }
            ready.add(new ChunkRange(first, last, true));
            next = last;
        }
    }
}
