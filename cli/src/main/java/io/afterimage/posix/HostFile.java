package io.afterimage.posix;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.io.Closeable;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;

/** A new file that is being written, anywhere in it; what is not written is a hole. Not thread-safe. */
public final class HostFile implements Closeable {

    private static final MethodHandle PWRITE = CLibrary.function("pwrite", JAVA_LONG, JAVA_INT, ADDRESS, JAVA_LONG, JAVA_LONG);
    private static final MethodHandle FTRUNCATE = CLibrary.function("ftruncate", JAVA_INT, JAVA_INT, JAVA_LONG);

    private final int descriptor;

    HostFile(int descriptor) {
        this.descriptor = descriptor;
    }

    /** Sets its size; what is new is a hole. */
    public void setSize(long size) throws PosixException {
        CLibrary.check(state -> (int) FTRUNCATE.invokeExact(state, descriptor, size));
    }

    /** Writes {@code length} of the bytes, from {@code from} on, at {@code offset} of the file. */
    public void write(byte[] bytes, int from, int length, long offset) throws PosixException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment data = arena.allocate(Math.max(length, 1));
            MemorySegment.copy(bytes, from, data, JAVA_BYTE, 0, length);
            long done = 0;
            while (done < length) {
                MemorySegment rest = data.asSlice(done);
                long left = length - done;
                long position = offset + done;
                done += CLibrary.check(state -> (long) PWRITE.invokeExact(state, descriptor, rest, left, position));
            }
        }
    }

    @Override
    public void close() throws PosixException {
        HostFolder.close(descriptor);
    }
}
