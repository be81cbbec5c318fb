package io.afterimage.block;

import java.io.EOFException;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;

/**
 * A raw image file, or a block device of the host: byte for byte. Of a file the holes are known; of a block device nothing is.
 * A file that is made here begins as one hole, so that what is never written takes no space.
 */
public final class FileDevice implements BlockDevice {

    private static final ByteBuffer ZEROS = ByteBuffer.allocateDirect(1024 * 1024).asReadOnlyBuffer();

    private final FileChannel channel;
    private final SparseSeek holes;
    private final boolean regular;
    private final boolean writable;
    private final long size;

    private FileDevice(Path file, FileChannel channel, boolean writable) throws IOException {
        this.channel = channel;
        this.writable = writable;
        regular = Files.isRegularFile(file);
        holes = new SparseSeek(file);
        size = channel.size() > 0 ? channel.size() : sizeByEnd();
    }

    /** Opens for reading. */
    public static FileDevice open(Path file) throws IOException {
        return over(file, false, StandardOpenOption.READ);
    }

    /** Opens for reading and writing. */
    public static FileDevice openWritable(Path file) throws IOException {
        return over(file, true, StandardOpenOption.READ, StandardOpenOption.WRITE);
    }

    /** Makes a file of {@code size} zeros; a {@link java.nio.file.FileAlreadyExistsException} if it is there. */
    public static FileDevice create(Path file, long size) throws IOException {
        Files.createFile(file);
        try (RandomAccessFile sized = new RandomAccessFile(file.toFile(), "rw")) {
            sized.setLength(size);
        }
        return openWritable(file);
    }

    private static FileDevice over(Path file, boolean writable, StandardOpenOption... options) throws IOException {
        FileChannel channel = FileChannel.open(file, options);
        try {
            return new FileDevice(file, channel, writable);
        } catch (IOException | RuntimeException e) {
            channel.close();
            throw e;
        }
    }

    /** A block device has no size for stat(2); its end is where reads end. */
    private long sizeByEnd() throws IOException {
        if (regular) {
            return 0;
        }
        long low = 0;
        long high = 1;
        ByteBuffer probe = ByteBuffer.allocate(1);
        while (channel.read(probe.clear(), high - 1) > 0) {
            low = high;
            high = Math.multiplyExact(high, 2L);
        }
        while (low + 1 < high) {
            long middle = (low + high) >>> 1;
            if (channel.read(probe.clear(), middle - 1) > 0) {
                low = middle;
            } else {
                high = middle;
            }
        }
        return low;
    }

    @Override
    public long size() {
        return size;
    }

    @Override
    public boolean canWrite() {
        return writable;
    }

    @Override
    public void read(long offset, ByteBuffer target) throws IOException {
        checkRange(offset, target.remaining());
        long position = offset;
        while (target.hasRemaining()) {
            int count = channel.read(target, position);
            if (count < 0) {
                throw new EOFException("the file was cut off at " + position + " bytes while it was read");
            }
            position += count;
        }
    }

    @Override
    public List<Extent> extents(ByteRange range, int limit) throws IOException {
        if (!regular) {
            return BlockDevice.super.extents(range, limit);
        }
        checkRange(range.offset(), range.length());
        List<Extent> extents = new ArrayList<>();
        long position = range.offset();
        while (position < range.end() && extents.size() < limit) {
            long hole = holes.hole(position);
            boolean inHole = hole == position;
            long next = inHole ? holes.data(position) : hole;
            // No data behind a hole, or a file system that knows of none.
            long end = next < 0 ? range.end() : Math.min(range.end(), next);
            extents.add(new Extent(ByteRange.between(position, end), inHole ? Extent.Kind.HOLE : Extent.Kind.DATA));
            position = end;
        }
        return extents;
    }

    @Override
    public void write(long offset, ByteBuffer source) throws IOException {
        requireWritable();
        checkRange(offset, source.remaining());
        long position = offset;
        while (source.hasRemaining()) {
            position += channel.write(source, position);
        }
    }

    @Override
    public void zero(ByteRange range, boolean mayFree) throws IOException {
        requireWritable();
        checkRange(range.offset(), range.length());
        for (long position = range.offset(); position < range.end(); position += ZEROS.capacity()) {
            int length = (int) Math.min(ZEROS.capacity(), range.end() - position);
            write(position, ZEROS.duplicate().limit(length));
        }
    }

    @Override
    public void trim(ByteRange range) throws IOException {
        requireWritable();
        checkRange(range.offset(), range.length());
    }

    @Override
    public void flush() throws IOException {
        if (writable) {
            channel.force(false);
        }
    }

    private void requireWritable() throws ReadOnlyDeviceException {
        if (!writable) {
            throw new ReadOnlyDeviceException();
        }
    }

    @Override
    public void close() throws IOException {
        holes.close();
        channel.close();
    }
}
