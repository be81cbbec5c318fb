package io.afterimage.guestfs;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.afterimage.guestfs.GuestException.Reason;
import io.afterimage.posix.EscapedText;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * A handle of libguestfs, whose functions are called by name: {@code launch} is {@code guestfs_launch}. Arguments are ints, longs, native
 * memory, and for {@code char *} strings (UTF-8) and bytes. Not thread-safe.
 */
@SuppressWarnings("restricted") // This is the package that calls the library.
final class GuestFs implements AutoCloseable {

    /** The library's name, with the version of its ABI; there has been but this. */
    private static final String LIBRARY = "libguestfs.so.0";

    private static final Linker LINKER = Linker.nativeLinker();
    private static final MethodHandle FREE =
            LINKER.downcallHandle(LINKER.defaultLookup().findOrThrow("free"), FunctionDescriptor.ofVoid(ADDRESS));
    private static final Map<String, MethodHandle> FUNCTIONS = new ConcurrentHashMap<>();

    /** Reads what a function has returned before it is freed. */
    interface Reader<T> {
        T read(MemorySegment memory);
    }

    private final SymbolLookup library;
    private final MemorySegment handle;

    private GuestFs(SymbolLookup library) throws GuestException {
        this.library = library;
        handle = (MemorySegment) invoke("create", ADDRESS);
        // What goes wrong is thrown, and not printed as well.
        invoke("set_error_handler", null, handle, MemorySegment.NULL, MemorySegment.NULL);
    }

    static GuestFs open() throws GuestException {
        SymbolLookup library;
        try {
            library = SymbolLookup.libraryLookup(LIBRARY, Arena.global());
        } catch (IllegalArgumentException e) {
            throw new GuestException(
                    Reason.NOT_INSTALLED,
                    "To read the files of a guest, libguestfs is needed: install the packages libguestfs0 (with libguestfs-xfs) and"
                            + " linux-image-cloud-amd64.",
                    e);
        }
        return new GuestFs(library);
    }

    /** Calls a function that returns an int, or -1 for an error. */
    int number(String function, Object... arguments) throws GuestFsException {
        int result = (int) invoke(function, JAVA_INT, withHandle(arguments));
        if (result == -1) {
            throw failure(function);
        }
        return result;
    }

    /** Calls a function that returns an {@code int64_t}, or -1 for an error. */
    long wide(String function, Object... arguments) throws GuestFsException {
        long result = (long) invoke(function, JAVA_LONG, withHandle(arguments));
        if (result == -1) {
            throw failure(function);
        }
        return result;
    }

    /** Calls a function that returns a NULL-terminated list of strings, or NULL for an error. */
    List<byte[]> strings(String function, Object... arguments) throws GuestFsException {
        MemorySegment list = pointer(function, arguments).reinterpret(Long.MAX_VALUE);
        List<byte[]> strings = new ArrayList<>();
        for (long i = 0; !list.getAtIndex(ADDRESS, i).equals(MemorySegment.NULL); i++) {
            MemorySegment string = list.getAtIndex(ADDRESS, i);
            strings.add(string(string));
            free(string);
        }
        free(list);
        return strings;
    }

    /** Calls a function that returns a string, or NULL for an error. */
    byte[] string(String function, Object... arguments) throws GuestFsException {
        MemorySegment string = pointer(function, arguments);
        byte[] bytes = string(string);
        free(string);
        return bytes;
    }

    /** Calls a function that returns a buffer and puts its length where the last argument, added here, points to. */
    byte[] buffer(String function, Object... arguments) throws GuestFsException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment length = arena.allocate(JAVA_LONG);
            Object[] all = Arrays.copyOf(arguments, arguments.length + 1);
            all[arguments.length] = length;
            MemorySegment buffer = pointer(function, all);
            byte[] bytes = buffer.reinterpret(length.get(JAVA_LONG, 0)).toArray(JAVA_BYTE);
            free(buffer);
            return bytes;
        }
    }

    /**
     * Calls a function that returns a list of structures.
     *
     * @param type of the list, as {@code guestfs_free_..._list} has it
     * @param size of one structure in bytes
     */
    <T> List<T> structures(String type, long size, Reader<T> reader, String function, Object... arguments) throws GuestFsException {
        MemorySegment list = pointer(function, arguments).reinterpret(2 * ADDRESS.byteSize());
        int length = list.get(JAVA_INT, 0);
        MemorySegment first = list.get(ADDRESS, ADDRESS.byteSize()).reinterpret(length * size);
        List<T> structures = new ArrayList<>(length);
        for (int i = 0; i < length; i++) {
            structures.add(reader.read(first.asSlice(i * size, size)));
        }
        invoke("free_" + type + "_list", null, list);
        return structures;
    }

    /** A NULL-terminated list of strings, as an argument. */
    static MemorySegment list(Arena arena, List<byte[]> strings) {
        MemorySegment list = arena.allocate(ADDRESS, strings.size() + 1L);
        for (int i = 0; i < strings.size(); i++) {
            list.setAtIndex(ADDRESS, i, string(arena, strings.get(i)));
        }
        return list;
    }

    static MemorySegment string(Arena arena, byte[] bytes) {
        MemorySegment segment = arena.allocate(bytes.length + 1L);
        MemorySegment.copy(bytes, 0, segment, JAVA_BYTE, 0, bytes.length);
        return segment;
    }

    /** The bytes of a C string. */
    static byte[] string(MemorySegment string) {
        MemorySegment endless = string.reinterpret(Long.MAX_VALUE);
        long length = 0;
        while (endless.get(JAVA_BYTE, length) != 0) {
            length++;
        }
        return endless.asSlice(0, length).toArray(JAVA_BYTE);
    }

    private MemorySegment pointer(String function, Object... arguments) throws GuestFsException {
        MemorySegment result = (MemorySegment) invoke(function, ADDRESS, withHandle(arguments));
        if (result.equals(MemorySegment.NULL)) {
            throw failure(function);
        }
        return result;
    }

    /** Whether the appliance runs and answers. */
    boolean isReady() {
        return (int) invoke("is_ready", JAVA_INT, handle) == 1;
    }

    private GuestFsException failure(String function) {
        MemorySegment message = (MemorySegment) invoke("last_error", ADDRESS, handle);
        int errno = (int) invoke("last_errno", JAVA_INT, handle);
        String text = message.equals(MemorySegment.NULL) ? function + " has failed" : EscapedText.of(string(message));
        return new GuestFsException(text, errno);
    }

    private Object[] withHandle(Object... arguments) {
        Object[] all = new Object[arguments.length + 1];
        all[0] = handle;
        System.arraycopy(arguments, 0, all, 1, arguments.length);
        return all;
    }

    /** @param result null for void */
    private Object invoke(String function, MemoryLayout result, Object... arguments) {
        try (Arena arena = Arena.ofConfined()) {
            Object[] values = new Object[arguments.length];
            MemoryLayout[] layouts = new MemoryLayout[arguments.length];
            for (int i = 0; i < arguments.length; i++) {
                values[i] = switch (arguments[i]) {
                    case String text -> string(arena, text.getBytes(StandardCharsets.UTF_8));
                    case byte[] bytes -> string(arena, bytes);
                    case Object other -> other;
                };
                layouts[i] = switch (values[i]) {
                    case Integer _ -> JAVA_INT;
                    case Long _ -> JAVA_LONG;
                    default -> ADDRESS;
                };
            }
            FunctionDescriptor descriptor = result == null ? FunctionDescriptor.ofVoid(layouts) : FunctionDescriptor.of(result, layouts);
            MethodHandle target = FUNCTIONS.computeIfAbsent(
                    function, name -> LINKER.downcallHandle(library.findOrThrow("guestfs_" + name), descriptor));
            return target.invokeWithArguments(values);
        } catch (RuntimeException | Error e) {
            throw e;
        } catch (Throwable e) {
            throw new IllegalStateException("guestfs_" + function + " could not be called", e);
        }
    }

    private static void free(MemorySegment memory) {
        try {
            FREE.invokeExact(memory);
        } catch (Throwable e) {
            throw new IllegalStateException("memory could not be freed", e);
        }
    }

    /** Ends the appliance and removes what was made for it. */
    @Override
    public void close() {
        invoke("close", null, handle);
    }
}
