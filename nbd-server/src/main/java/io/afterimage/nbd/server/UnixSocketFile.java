package io.afterimage.nbd.server;

import java.io.IOException;
import java.net.ConnectException;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.FileChannel;
import java.nio.channels.OverlappingFileLockException;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.concurrent.ThreadLocalRandom;

/**
 * The file of a unix socket that is listened on.
 *
 * <p>bind(2) makes the file with the mode that the umask leaves, and a client could connect before a chmod. So the socket is bound
 * inside a folder of its own that nobody else may enter, gets mode 0600 there, and is then renamed to its place, which also
 * replaces the file of a dead server in one step. A lock file beside it, held for that moment, keeps two starting servers from
 * taking each other for dead.
 */
final class UnixSocketFile {

    /** Longest path that fits into a sockaddr_un, with its final zero. */
    private static final int LONGEST_PATH = 107;

    private final Path path;
    private final Object identity;

    private UnixSocketFile(Path path, Object identity) {
        this.path = path;
        this.identity = identity;
    }

    /** Makes a listener at the path it is given. */
    interface Binder {
        void bind(Path temporary) throws IOException;
    }

    static UnixSocketFile create(Path place, Binder binder) throws IOException {
        Path path = place.toAbsolutePath();
        Path parent = path.getParent();
        if (!Files.isDirectory(parent)) {
            throw new IOException("cannot listen on " + path + ": there is no directory " + parent);
        }
        Path lockFile = parent.resolve("." + path.getFileName() + ".lock");
        try (FileChannel lock = FileChannel.open(lockFile, StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
            // Closing the channel unlocks. The file goes first: a server that waited on it finds its own lock on a deleted
            // file, which is harmless, since what it probes next is a living socket.
            var _ = lock.lock();
            try {
                checkPlaceIsFree(path);
                return bindAndMove(path, binder);
            } finally {
                Files.deleteIfExists(lockFile);
            }
        } catch (OverlappingFileLockException _) {
            throw new IOException("cannot listen on " + path + ": another server is being started there");
        }
    }

    private static UnixSocketFile bindAndMove(Path path, Binder binder) throws IOException {
        Path folder = privateFolder(path.getParent());
        Path temporary = folder.resolve("s");
        try {
            int needed = Math.max(bytes(path), bytes(temporary));
            if (needed > LONGEST_PATH) {
                throw new IOException("cannot listen on " + path + ": the path of a unix socket has " + LONGEST_PATH
                        + " bytes at most, and this one, or the temporary name beside it, has " + needed);
            }
            binder.bind(temporary);
            Files.setPosixFilePermissions(temporary, PosixFilePermissions.fromString("rw-------"));
            Files.move(temporary, path, StandardCopyOption.ATOMIC_MOVE);
            return new UnixSocketFile(path, identity(path));
        } finally {
            Files.deleteIfExists(temporary);
            Files.deleteIfExists(folder);
        }
    }

    /** Its name is short, since the path of a socket must be: "/.zzzz/s" is no longer than "/nbd.sock". */
    private static Path privateFolder(Path parent) throws IOException {
        while (true) {
            Path folder = parent.resolve("." + Integer.toString(ThreadLocalRandom.current().nextInt(36 * 36 * 36 * 36), 36));
            try {
                return Files.createDirectory(folder, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
            } catch (FileAlreadyExistsException _) {
                // Another server's, or what a killed one has left: there are other names.
            }
        }
    }

    private static int bytes(Path path) {
        return path.toString().getBytes(StandardCharsets.UTF_8).length;
    }

    /** Removes the file unless another server has taken its place. */
    void remove() throws IOException {
        try {
            if (identity.equals(identity(path))) {
                Files.deleteIfExists(path);
            }
        } catch (NoSuchFileException _) {
            // Somebody removed it before us.
        }
    }

    private static Object identity(Path path) throws IOException {
        return Files.getAttribute(path, "unix:ino", LinkOption.NOFOLLOW_LINKS);
    }

    private static void checkPlaceIsFree(Path path) throws IOException {
        if (!Files.exists(path, LinkOption.NOFOLLOW_LINKS)) {
            return;
        }
        if (((int) Files.getAttribute(path, "unix:mode", LinkOption.NOFOLLOW_LINKS) & 0170000) != 0140000) {
            throw new IOException("cannot listen on " + path + ": it exists and is not a socket; choose another path or remove it");
        }
        try {
            SocketChannel.open(UnixDomainSocketAddress.of(path)).close();
            throw new IOException("cannot listen on " + path + ": another server listens there; stop it or choose another path");
        } catch (ConnectException _) {
            // Nobody listens: the file of a server that died.
        }
    }
}
