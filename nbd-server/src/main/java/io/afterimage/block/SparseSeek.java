package io.afterimage.block;

import java.io.Closeable;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.file.Path;

/**
 * Finds the holes of a file by {@code lseek(SEEK_DATA)} and {@code lseek(SEEK_HOLE)}, which Java does not offer: through a file
 * descriptor of its own, on Linux. Thread-safe.
 */
@SuppressWarnings("restricted") // The launcher enables native access; without it these calls fail at once.
final class SparseSeek implements Closeable {

    private static final int O_RDONLY = 0;
    private static final int O_CLOEXEC = 0x80000;
    private static final int SEEK_DATA = 3;
    private static final int SEEK_HOLE = 4;

    private static final Linker LINKER = Linker.nativeLinker();
    private static final MethodHandle OPEN = function(
            "open",
            FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.ADDRESS, ValueLayout.JAVA_INT),
            Linker.Option.firstVariadicArg(2));
    private static final MethodHandle LSEEK = function(
            "lseek",
            FunctionDescriptor.of(
                    ValueLayout.JAVA_LONG, ValueLayout.JAVA_INT, ValueLayout.JAVA_LONG, ValueLayout.JAVA_INT));
    private static final MethodHandle CLOSE =
            function("close", FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.JAVA_INT));

    private final int descriptor;

    SparseSeek(Path file) throws IOException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment path = arena.allocateFrom(file.toAbsolutePath().toString());
            descriptor = (int) OPEN.invokeExact(path, O_RDONLY | O_CLOEXEC);
        } catch (Throwable e) {
            throw new AssertionError("open(2) cannot be called", e);
        }
        if (descriptor < 0) {
            throw new IOException("cannot open " + file);
        }
    }

    private static MethodHandle function(String name, FunctionDescriptor descriptor, Linker.Option... options) {
        SymbolLookup library = LINKER.defaultLookup();
        return LINKER.downcallHandle(library.findOrThrow(name), descriptor, options);
    }

    /** The first byte from {@code offset} on that is in data, or negative when there is none, or when holes are not known. */
    long data(long offset) {
        return seek(offset, SEEK_DATA);
    }

    /** The first byte from {@code offset} on that is in a hole; the file's end counts as one. Negative when holes are not known. */
    long hole(long offset) {
        return seek(offset, SEEK_HOLE);
    }

    private long seek(long offset, int whence) {
        try {
            return (long) LSEEK.invokeExact(descriptor, offset, whence);
        } catch (Throwable e) {
            throw new AssertionError("lseek(2) cannot be called", e);
        }
    }

    @Override
    public void close() {
        try {
            int _ = (int) CLOSE.invokeExact(descriptor);
        } catch (Throwable e) {
            throw new AssertionError("close(2) cannot be called", e);
        }
    }
}
