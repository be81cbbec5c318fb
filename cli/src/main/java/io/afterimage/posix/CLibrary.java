package io.afterimage.posix;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.VarHandle;
import java.nio.charset.StandardCharsets;

/** Calls of the C library, by name; what they return as an error becomes a {@link PosixException}. Linux alone. */
@SuppressWarnings("restricted") // This is the package that calls native code.
final class CLibrary {

    private static final Linker LINKER = Linker.nativeLinker();
    private static final MemoryLayout STATE = Linker.Option.captureStateLayout();
    private static final VarHandle ERRNO = STATE.varHandle(MemoryLayout.PathElement.groupElement("errno"));
    private static final Linker.Option CAPTURE = Linker.Option.captureCallState("errno");

    private static final MethodHandle STRERROR = LINKER.downcallHandle(
            LINKER.defaultLookup().findOrThrow("strerror"), FunctionDescriptor.of(ADDRESS, JAVA_INT));

    private CLibrary() {}

    /** A function that returns an int, or a long where {@code result} says so. */
    static MethodHandle function(String name, ValueLayout result, ValueLayout... arguments) {
        return LINKER.downcallHandle(LINKER.defaultLookup().findOrThrow(name), FunctionDescriptor.of(result, arguments), CAPTURE);
    }

    /** {@code openat}, whose mode is an argument of the variable kind. */
    static MethodHandle openat() {
        return LINKER.downcallHandle(
                LINKER.defaultLookup().findOrThrow("openat"),
                FunctionDescriptor.of(JAVA_INT, JAVA_INT, ADDRESS, JAVA_INT, JAVA_INT),
                CAPTURE,
                Linker.Option.firstVariadicArg(3));
    }

    /** {@code syscall}, for what the C library has no function for; its number comes first. */
    static MethodHandle syscall(ValueLayout... arguments) {
        ValueLayout[] all = new ValueLayout[arguments.length + 1];
        all[0] = JAVA_LONG;
        System.arraycopy(arguments, 0, all, 1, arguments.length);
        return LINKER.downcallHandle(
                LINKER.defaultLookup().findOrThrow("syscall"), FunctionDescriptor.of(JAVA_LONG, all), CAPTURE, Linker.Option.firstVariadicArg(1));
    }

    /** What is to be called, with the place where errno is put. */
    interface Call {
        long run(MemorySegment state) throws Throwable;
    }

    /** Calls, again if a signal came between. */
    static long check(Call call) throws PosixException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment state = arena.allocate(STATE);
            while (true) {
                long result = call.run(state);
                if (result >= 0) {
                    return result;
                }
                int errno = (int) ERRNO.get(state, 0L);
                if (errno != EINTR) {
                    throw new PosixException(errno, message(errno));
                }
            }
        } catch (PosixException | RuntimeException | Error e) {
            throw e;
        } catch (Throwable e) {
            throw new IllegalStateException("a call of the C library has failed", e);
        }
    }

    private static final int EINTR = 4;
    private static final int LONGEST_MESSAGE = 1024;

    private static String message(int errno) throws Throwable {
        MemorySegment text = (MemorySegment) STRERROR.invokeExact(errno);
        return text.reinterpret(LONGEST_MESSAGE).getString(0, StandardCharsets.UTF_8);
    }

    /** A string with its NUL. */
    static MemorySegment string(Arena arena, byte[] bytes) {
        MemorySegment segment = arena.allocate(bytes.length + 1L);
        MemorySegment.copy(bytes, 0, segment, ValueLayout.JAVA_BYTE, 0, bytes.length);
        return segment;
    }

    /** Two {@code struct timespec}. */
    static MemorySegment times(Arena arena, long... secondsAndNanos) {
        return arena.allocateFrom(JAVA_LONG, secondsAndNanos);
    }
}
