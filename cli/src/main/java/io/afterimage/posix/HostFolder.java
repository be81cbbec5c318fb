package io.afterimage.posix;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.io.Closeable;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Instant;

/**
 * An open folder of this host in which things are made. Everything is named relative to it and nothing follows a symbolic link or
 * replaces what is there, so that names and links out of a hostile file system stay inside, even while somebody else
 * changes the folder. Not thread-safe.
 */
public final class HostFolder implements Closeable {

    private static final MethodHandle OPENAT = CLibrary.openat();
    private static final MethodHandle CLOSE = CLibrary.function("close", JAVA_INT, JAVA_INT);
    private static final MethodHandle MKDIRAT = CLibrary.function("mkdirat", JAVA_INT, JAVA_INT, ADDRESS, JAVA_INT);
    private static final MethodHandle SYMLINKAT = CLibrary.function("symlinkat", JAVA_INT, ADDRESS, JAVA_INT, ADDRESS);
    private static final MethodHandle LINKAT = CLibrary.function("linkat", JAVA_INT, JAVA_INT, ADDRESS, JAVA_INT, ADDRESS, JAVA_INT);
    private static final MethodHandle MKNODAT = CLibrary.function("mknodat", JAVA_INT, JAVA_INT, ADDRESS, JAVA_INT, JAVA_LONG);
    private static final MethodHandle UNLINKAT = CLibrary.function("unlinkat", JAVA_INT, JAVA_INT, ADDRESS, JAVA_INT);
    private static final MethodHandle FCHOWNAT =
            CLibrary.function("fchownat", JAVA_INT, JAVA_INT, ADDRESS, JAVA_INT, JAVA_INT, JAVA_INT);
    private static final MethodHandle FCHMODAT = CLibrary.function("fchmodat", JAVA_INT, JAVA_INT, ADDRESS, JAVA_INT, JAVA_INT);
    private static final MethodHandle UTIMENSAT = CLibrary.function("utimensat", JAVA_INT, JAVA_INT, ADDRESS, ADDRESS, JAVA_INT);
    private static final MethodHandle LSETXATTR =
            CLibrary.function("lsetxattr", JAVA_INT, ADDRESS, ADDRESS, ADDRESS, JAVA_LONG, JAVA_INT);

    private static final int AT_FDCWD = -100;
    private static final int AT_SYMLINK_NOFOLLOW = 0x100;
    private static final int O_WRONLY = 1;
    private static final int O_CREAT = 0100;
    private static final int O_EXCL = 0200;
    private static final int O_DIRECTORY = 0200000;
    private static final int O_NOFOLLOW = 0400000;
    private static final int O_CLOEXEC = 02000000;
    private static final int OWNER_ONLY_FOLDER = 0700;
    private static final int OWNER_ONLY_FILE = 0600;

    private final int descriptor;

    private HostFolder(int descriptor) {
        this.descriptor = descriptor;
    }

    /** Opens a folder that the user has named; links in the path are the user's own and are followed. */
    public static HostFolder open(Path path) throws PosixException {
        // As the JDK has decoded it, from the command line or from the kernel.
        Charset encoding = Charset.forName(System.getProperty("sun.jnu.encoding", "UTF-8"));
        return new HostFolder(openat(AT_FDCWD, path.toString().getBytes(encoding), O_DIRECTORY | O_CLOEXEC));
    }

    /** Opens a folder in this one. */
    public HostFolder folder(FileName name) throws PosixException {
        return new HostFolder(openat(descriptor, name.bytes(), O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    }

    /** Makes a folder, for its owner alone. */
    public HostFolder makeFolder(FileName name) throws PosixException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment text = CLibrary.string(arena, name.bytes());
            CLibrary.check(state -> (int) MKDIRAT.invokeExact(state, descriptor, text, OWNER_ONLY_FOLDER));
        }
        return folder(name);
    }

    /** Makes an empty file, for its owner alone. */
    public HostFile makeFile(FileName name) throws PosixException {
        return new HostFile(openat(descriptor, name.bytes(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC));
    }

    /** Makes a symbolic link. What it leads to is not looked at. */
    public void makeLink(FileName name, byte[] target) throws PosixException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment to = CLibrary.string(arena, target);
            MemorySegment text = CLibrary.string(arena, name.bytes());
            CLibrary.check(state -> (int) SYMLINKAT.invokeExact(state, to, descriptor, text));
        }
    }

    /** Gives a file that is in another folder, or in this, one more name. */
    public void makeHardLink(FileName name, HostFolder folder, FileName existing) throws PosixException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment from = CLibrary.string(arena, existing.bytes());
            MemorySegment text = CLibrary.string(arena, name.bytes());
            CLibrary.check(state -> (int) LINKAT.invokeExact(state, folder.descriptor, from, descriptor, text, 0));
        }
    }

    /** Makes a device node, a pipe or a socket, for its owner alone. */
    public void makeNode(FileName name, FileKind kind, long device) throws PosixException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment text = CLibrary.string(arena, name.bytes());
            CLibrary.check(state -> (int) MKNODAT.invokeExact(state, descriptor, text, kind.bits() | OWNER_ONLY_FILE, device));
        }
    }

    /** Removes a file. */
    public void remove(FileName name) throws PosixException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment text = CLibrary.string(arena, name.bytes());
            CLibrary.check(state -> (int) UNLINKAT.invokeExact(state, descriptor, text, 0));
        }
    }

    public void setOwner(FileName name, int user, int group) throws PosixException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment text = CLibrary.string(arena, name.bytes());
            CLibrary.check(state -> (int) FCHOWNAT.invokeExact(state, descriptor, text, user, group, AT_SYMLINK_NOFOLLOW));
        }
    }

    /** Sets the permissions of what is not a symbolic link: a link has none. */
    public void setMode(FileName name, int mode) throws PosixException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment text = CLibrary.string(arena, name.bytes());
            CLibrary.check(state -> (int) FCHMODAT.invokeExact(state, descriptor, text, mode, 0));
        }
    }

    public void setTimes(FileName name, Attributes attributes) throws PosixException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment text = CLibrary.string(arena, name.bytes());
            Instant accessed = attributes.accessed();
            Instant modified = attributes.modified();
            MemorySegment times = CLibrary.times(
                    arena, accessed.getEpochSecond(), accessed.getNano(), modified.getEpochSecond(), modified.getNano());
            CLibrary.check(state -> (int) UTIMENSAT.invokeExact(state, descriptor, text, times, AT_SYMLINK_NOFOLLOW));
        }
    }

    public void setExtended(FileName name, ExtendedAttribute attribute) throws PosixException {
        try (Arena arena = Arena.ofConfined()) {
            // There is no lsetxattrat; the kernel's own name for the open folder serves.
            byte[] folder = ("/proc/self/fd/" + descriptor + "/").getBytes(StandardCharsets.US_ASCII);
            byte[] path = new byte[folder.length + name.bytes().length];
            System.arraycopy(folder, 0, path, 0, folder.length);
            System.arraycopy(name.bytes(), 0, path, folder.length, name.bytes().length);
            MemorySegment text = CLibrary.string(arena, path);
            MemorySegment key = CLibrary.string(arena, attribute.name());
            MemorySegment value = CLibrary.string(arena, attribute.value());
            long length = attribute.value().length;
            CLibrary.check(state -> (int) LSETXATTR.invokeExact(state, text, key, value, length, 0));
        }
    }

    private static int openat(int folder, byte[] path, int flags) throws PosixException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment text = CLibrary.string(arena, path);
            return (int) CLibrary.check(state -> (int) OPENAT.invokeExact(state, folder, text, flags, OWNER_ONLY_FILE));
        }
    }

    static void close(int descriptor) throws PosixException {
        CLibrary.check(state -> (int) CLOSE.invokeExact(state, descriptor));
    }

    @Override
    public void close() throws PosixException {
        close(descriptor);
    }
}
