package io.afterimage.block;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.nio.ByteBuffer;
import java.nio.file.Path;

/**
 * What Linux can do with a file and the JDK does not offer: say where its holes are, make holes, and read only what the page
 * cache holds. Has a file descriptor of its own. Nothing here waits for a disk.
 */
final class LinuxFile implements AutoCloseable {

    private static final int O_RDWR = 2;
    private static final int O_CLOEXEC = 0x80000;
    private static final int SEEK_DATA = 3;
    private static final int SEEK_HOLE = 4;
    private static final int RWF_NOWAIT = 8;
    private static final int KEEP_SIZE = 1;
    private static final int PUNCH_HOLE = 2;
    private static final int ZERO_RANGE = 16;

    private static final MethodHandle OPEN = bind("open", FunctionDescriptor.of(JAVA_INT, ADDRESS, JAVA_INT));
    private static final MethodHandle CLOSE = bind("close", FunctionDescriptor.of(JAVA_INT, JAVA_INT));
    private static final MethodHandle LSEEK = bind("lseek", FunctionDescriptor.of(JAVA_LONG, JAVA_INT, JAVA_LONG, JAVA_INT));
    private static final MethodHandle FALLOCATE =
            bind("fallocate", FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_INT, JAVA_LONG, JAVA_LONG));
    private static final MethodHandle PREADV2 =
            bind("preadv2", FunctionDescriptor.of(JAVA_LONG, JAVA_INT, ADDRESS, JAVA_INT, JAVA_LONG, JAVA_INT));

    /** A struct iovec of its own for each thread: address and length of one buffer. */
    private static final ThreadLocal<MemorySegment> VECTOR = ThreadLocal.withInitial(() -> Arena.ofAuto().allocate(16, 8));

    private final int descriptor;

    private LinuxFile(int descriptor) {
        this.descriptor = descriptor;
    }

    static LinuxFile open(Path path, boolean writable) throws IOException {
        try (Arena arena = Arena.ofConfined()) {
            int descriptor = (int) OPEN.invokeExact(arena.allocateFrom(path.toString()), (writable ? O_RDWR : 0) | O_CLOEXEC);
            if (descriptor < 0) {
                throw new IOException("cannot open " + path);
            }
            return new LinuxFile(descriptor);
        } catch (IOException e) {
            throw e;
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }

    /** Where data begin at or behind {@code offset}; {@code size} if nowhere, {@code offset} if that cannot be told. */
    long nextData(long offset, long size) {
        long found = seek(offset, SEEK_DATA);
        if (found >= 0) {
            return Math.min(found, size);
        }
        // It fails behind the last data, and always on what knows of no holes, such as a block device. Only in the first case is
        // there a hole at the offset, and only then may zeros be believed in.
        return seek(offset, SEEK_HOLE) == offset ? size : offset;
    }

    /** Where a hole begins at or behind {@code offset}; {@code size} if nowhere. */
    long nextHole(long offset, long size) {
        long found = seek(offset, SEEK_HOLE);
        return found < 0 ? size : Math.min(found, size);
    }

    /** Makes zeros of a range without writing them; false if the file system cannot. */
    boolean zero(ByteRange range, boolean free) {
        int mode = KEEP_SIZE | (free ? PUNCH_HOLE : ZERO_RANGE);
        try {
            return (int) FALLOCATE.invokeExact(descriptor, mode, range.offset(), range.length()) == 0;
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }

    /** Fills a direct buffer if all the bytes are in the page cache; else leaves its position as it was. */
    boolean readCached(long offset, ByteBuffer target) {
        int wanted = target.remaining();
        MemorySegment vector = VECTOR.get();
        vector.set(ADDRESS, 0, MemorySegment.ofBuffer(target));
        vector.set(JAVA_LONG, 8, wanted);
        try {
            if ((long) PREADV2.invokeExact(descriptor, vector, 1, offset, RWF_NOWAIT) != wanted) {
                return false;
            }
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
        target.position(target.limit());
        return true;
    }

    @Override
    public void close() {
        try {
            int _ = (int) CLOSE.invokeExact(descriptor);
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }

    private long seek(long offset, int whence) {
        try {
            return (long) LSEEK.invokeExact(descriptor, offset, whence);
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }

    @SuppressWarnings("restricted") // the signatures are those of the manual pages, section 2
    private static MethodHandle bind(String name, FunctionDescriptor type) {
        Linker linker = Linker.nativeLinker();
        return linker.downcallHandle(linker.defaultLookup().findOrThrow(name), type);
    }
}
