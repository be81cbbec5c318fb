package io.afterimage.block;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.TreeMap;
import java.util.concurrent.locks.ReadWriteLock;
import java.util.concurrent.locks.ReentrantReadWriteLock;

/**
 * A writable device in memory that holds only the pages written to, so that it may be far larger than the memory. Nothing
 * survives {@link #close}; {@link #flush} has nothing to do. One lock for all: readers together, a writer alone.
 */
public final class MemoryDevice implements BlockDevice {

    private static final int PAGE = 64 * 1024;
    private static final byte[] ZEROS = new byte[PAGE];

    private final long size;
    /** By page number, in order, so that holes cost nothing however long they are. */
    private final TreeMap<Long, byte[]> pages = new TreeMap<>();

    private final ReadWriteLock lock = new ReentrantReadWriteLock();

    /** A device of {@code size} bytes, all zeros. */
    public MemoryDevice(long size) {
        if (size < 0) {
            throw new IllegalArgumentException("a size is at least 0: " + size);
        }
        this.size = size;
    }

    @Override
    public long size() {
        return size;
    }

    @Override
    public void read(long offset, ByteBuffer target) {
        checkRange(offset, target.remaining());
        lock.readLock().lock();
        try {
            long position = offset;
            while (target.hasRemaining()) {
                int within = (int) (position % PAGE);
                int count = Math.min(PAGE - within, target.remaining());
                byte[] page = pages.get(position / PAGE);
                if (page == null) {
                    target.put(target.position(), ZEROS, 0, count).position(target.position() + count);
                } else {
                    target.put(page, within, count);
                }
                position += count;
            }
        } finally {
            lock.readLock().unlock();
        }
    }

    @Override
    public boolean readResident(long offset, ByteBuffer target) {
        read(offset, target);
        return true;
    }

    @Override
    public List<Extent> extents(ByteRange range, int limit) {
        checkRange(range.offset(), range.length());
        List<Extent> extents = new ArrayList<>();
        lock.readLock().lock();
        try {
            long start = range.offset();
            while (start < range.end() && extents.size() < limit) {
                long page = start / PAGE;
                boolean present = pages.containsKey(page);
                if (present) {
                    do {
                        page++;
                    } while (page * PAGE < range.end() && pages.containsKey(page));
                } else {
                    Long next = pages.ceilingKey(page);
                    page = next == null ? Long.MAX_VALUE / PAGE : next;
                }
                long end = Math.min(range.end(), page * PAGE);
                extents.add(new Extent(ByteRange.between(start, end), present ? Extent.Kind.DATA : Extent.Kind.HOLE));
                start = end;
            }
        } finally {
            lock.readLock().unlock();
        }
        return extents;
    }

    @Override
    public boolean canWrite() {
        return true;
    }

    @Override
    public boolean canZeroFast() {
        return true;
    }

    @Override
    public void write(long offset, ByteBuffer source) {
        checkRange(offset, source.remaining());
        lock.writeLock().lock();
        try {
            long position = offset;
            while (source.hasRemaining()) {
                int within = (int) (position % PAGE);
                int count = Math.min(PAGE - within, source.remaining());
                source.get(pages.computeIfAbsent(position / PAGE, _ -> new byte[PAGE]), within, count);
                position += count;
            }
        } finally {
            lock.writeLock().unlock();
        }
    }

    @Override
    public void zero(ByteRange range, boolean mayFree) {
        checkRange(range.offset(), range.length());
        lock.writeLock().lock();
        try {
            // Only the first and the last page can be covered in part.
            clear(range.offset(), Math.min(range.end(), (range.offset() / PAGE + 1) * PAGE));
            clear(Math.max(range.offset(), range.end() / PAGE * PAGE), range.end());
            long firstWhole = Math.ceilDiv(range.offset(), PAGE);
            long endWhole = range.end() / PAGE;
            if (firstWhole < endWhole) {
                pages.subMap(firstWhole, endWhole).clear();
            }
        } finally {
            lock.writeLock().unlock();
        }
    }

    @Override
    public void trim(ByteRange range) throws IOException {
        zero(range, true);
    }

    /** Clears bytes of one page. */
    private void clear(long start, long end) {
        byte[] page = start < end ? pages.get(start / PAGE) : null;
        if (page != null) {
            Arrays.fill(page, (int) (start % PAGE), (int) (end - start / PAGE * PAGE), (byte) 0);
        }
    }

    @Override
    public void close() {}
}
