package io.afterimage.block;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.locks.ReadWriteLock;
import java.util.concurrent.locks.ReentrantReadWriteLock;

/**
 * A raw image: a file, sparse or not, or a block device of the host. Its size is what it was when it was opened. Bytes in the page
 * cache count as resident, for direct buffers. Interrupting a thread in a read or write closes the device, as it does every
 * {@link FileChannel}.
 */
public final class FileDevice implements BlockDevice {

    private static final int ZEROS = 1 << 20;
    /** The JDK reads for an array into memory of its own first: as much as a processor's cache still holds while it is copied. */
    private static final int COPIED = 128 * 1024;

    private final Path path;
    private final FileChannel channel;
    private final LinuxFile linux;
    private final long size;
    private final boolean writable;
    /** A descriptor must not be closed, and its number taken by another file, while a call uses it. */
    private final ReadWriteLock open = new ReentrantReadWriteLock();

    private boolean closed;

    private FileDevice(Path path, boolean writable, FileChannel channel, LinuxFile linux) throws IOException {
        this.path = path;
        this.writable = writable;
        this.channel = channel;
        this.linux = linux;
        this.size = channel.size();
    }

    public static FileDevice openReadOnly(Path path) throws IOException {
        return open(path, false);
    }

    public static FileDevice openWritable(Path path) throws IOException {
        return open(path, true);
    }

    /** Makes a new file of {@code size} bytes without taking space; fails if there is one. */
    public static FileDevice create(Path path, long size) throws IOException {
        try (FileChannel made = FileChannel.open(path, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
            if (size > 0) {
                made.write(ByteBuffer.allocate(1), size - 1);
            }
        }
        FileDevice device = open(path, true);
        if (size > 0) {
            device.trim(new ByteRange(0, size));
        }
        return device;
    }

    private static FileDevice open(Path path, boolean writable) throws IOException {
        FileChannel channel = FileChannel.open(
                path, writable ? Set.of(StandardOpenOption.READ, StandardOpenOption.WRITE) : Set.of(StandardOpenOption.READ));
        try {
            return new FileDevice(path, writable, channel, LinuxFile.open(path, writable));
        } catch (IOException | RuntimeException e) {
            channel.close();
            throw e;
        }
    }

    @Override
    public long size() {
        return size;
    }

    @Override
    public void read(long offset, ByteBuffer target) throws IOException {
        checkRange(offset, target.remaining());
        long position = offset;
        while (target.hasRemaining()) {
            int length = target.isDirect() ? target.remaining() : Math.min(COPIED, target.remaining());
            int count = channel.read(target.slice(target.position(), length), position);
            if (count < 0) {
                throw new IOException(path + " has become shorter than " + size + " bytes");
            }
            target.position(target.position() + count);
            position += count;
        }
    }

    @Override
    public boolean readResident(long offset, ByteBuffer target) {
        checkRange(offset, target.remaining());
        if (!target.isDirect() || !open.readLock().tryLock()) {
            return false;
        }
        try {
            return !closed && linux.readCached(offset, target);
        } finally {
            open.readLock().unlock();
        }
    }

    @Override
    public List<Extent> extents(ByteRange range, int limit) throws IOException {
        checkRange(range.offset(), range.length());
        List<Extent> extents = new ArrayList<>();
        open.readLock().lock();
        try {
            checkOpen();
            long start = range.offset();
            while (start < range.end() && extents.size() < limit) {
                long data = linux.nextData(start, size);
                long end = Math.min(range.end(), data > start ? data : linux.nextHole(start, size));
                extents.add(new Extent(ByteRange.between(start, end), data > start ? Extent.Kind.HOLE : Extent.Kind.DATA));
                start = end;
            }
        } finally {
            open.readLock().unlock();
        }
        return extents;
    }

    @Override
    public boolean canWrite() {
        return writable;
    }

    @Override
    public void write(long offset, ByteBuffer source) throws IOException {
        checkRange(offset, source.remaining());
        requireWritable();
        long position = offset;
        while (source.hasRemaining()) {
            try {
                position += channel.write(source, position);
            } catch (IOException e) {
                throw DeviceFullException.orSame(e, path);
            }
        }
    }

    @Override
    public void zero(ByteRange range, boolean mayFree) throws IOException {
        checkRange(range.offset(), range.length());
        requireWritable();
        if (!range.isEmpty() && !byMetadata(range, mayFree)) {
            ByteBuffer zeros = ByteBuffer.allocateDirect((int) Math.min(ZEROS, range.length()));
            for (long at = range.offset(); at < range.end(); at += zeros.capacity()) {
                write(at, zeros.clear().limit((int) Math.min(zeros.capacity(), range.end() - at)));
            }
        }
    }

    @Override
    public void trim(ByteRange range) throws IOException {
        checkRange(range.offset(), range.length());
        requireWritable();
        if (!range.isEmpty()) {
            // A file system that cannot keeps the bytes, which a trim allows.
            byMetadata(range, true);
        }
    }

    @Override
    public void flush() throws IOException {
        if (writable) {
            channel.force(true);
        }
    }

    @Override
    public void close() throws IOException {
        open.writeLock().lock();
        try {
            if (!closed) {
                closed = true;
                linux.close();
                channel.close();
            }
        } finally {
            open.writeLock().unlock();
        }
    }

    private boolean byMetadata(ByteRange range, boolean free) throws IOException {
        open.readLock().lock();
        try {
            checkOpen();
            return linux.zero(range, free);
        } finally {
            open.readLock().unlock();
        }
    }

    private void checkOpen() throws IOException {
        if (closed) {
            throw new IOException(path + " is closed");
        }
    }

    private void requireWritable() throws ReadOnlyDeviceException {
        if (!writable) {
            throw new ReadOnlyDeviceException();
        }
    }
}
