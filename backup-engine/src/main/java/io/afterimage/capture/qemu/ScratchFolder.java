package io.afterimage.capture.qemu;

import java.io.Closeable;
import java.io.IOException;
import java.net.ConnectException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.nio.file.attribute.UserPrincipal;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.regex.Pattern;

/**
 * The private folder of one cut: scratch images, the NBD socket, and a lock file that tells two things to whoever finds the folder
 * later. Its text names the machine that it belongs to: the path of its QMP socket, or what another way to reach it knows it by; its
 * lock is held as long as the backup lives, and the kernel takes the lock away when it is killed.
 */
public final class ScratchFolder implements Closeable {

    private static final Pattern NAME = Pattern.compile("afterimage-[0-9a-f]{32}");
    private static final String LOCK = "lock";
    /** There while the guest may be frozen; its text is the path of the agent's socket. */
    private static final String FROZEN = "frozen";
    /** What {@code struct sockaddr_un} has room for, without the terminating zero. */
    private static final int MAX_SOCKET_PATH = 107;
    private static final Path SHORT_ROOT = Path.of("/tmp");
    private static final FileAttribute<Set<PosixFilePermission>> PRIVATE_FILE =
            PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------"));

    /**
     * Folders that this process holds. POSIX locks belong to the process, and closing any channel of a locked file drops them: so
     * a folder of our own must be recognised without opening its lock.
     */
    private static final Set<Path> HELD = ConcurrentHashMap.newKeySet();

    private final Path folder;
    private final FileChannel lock;
    private boolean lent;

    private ScratchFolder(Path folder, FileChannel lock) {
        this.folder = folder;
        this.lock = lock;
    }

    /** Makes and locks the folder, for the user as whom QEMU runs. */
    static ScratchFolder create(Path root, String pointId, QmpClient client) throws IOException {
        return create(root, pointId, client.socket().toAbsolutePath().toString(), client.peer());
    }

    /**
     * Makes and locks the folder.
     *
     * @param root is made if it is not there
     * @param machine one line, by which {@link #ofMachine} finds the folder again
     * @param peer as whom QEMU runs, as far as is known
     * @throws IOException one sentence, when it cannot be made or given to that user
     */
    public static ScratchFolder create(Path root, String pointId, String machine, UserPrincipal peer) throws IOException {
        Path folder = path(root, pointId);
        try {
            Files.createDirectories(root);
            createPrivate(folder);
        } catch (FileSystemException e) {
            throw new QmpException("The scratch folder " + folder + " cannot be made (" + e + "): choose another place for scratch", e);
        }
        HELD.add(folder);
        try {
            FileChannel lock = FileChannel.open(folder.resolve(LOCK), StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
            var created = new ScratchFolder(folder, lock);
            lock.lock();
            lock.write(ByteBuffer.wrap(machine.getBytes(StandardCharsets.UTF_8)));
            Path socketFolder = nbdSocket(folder).getParent();
            if (!socketFolder.equals(folder)) {
                createPrivate(socketFolder);
                giveTo(peer, socketFolder, root);
            }
            giveTo(peer, folder, root);
            return created;
        } catch (IOException e) {
            HELD.remove(folder);
            delete(folder);
            throw e;
        }
    }

    /** Where the folder of a point's cut is, once it is made. */
    public static Path path(Path root, String pointId) {
        return root.resolve("afterimage-" + pointId);
    }

    /** Where the scratch image of a disk goes, by the disk's number in the cut. */
    public Path image(int disk) {
        return folder.resolve(disk + ".qcow2");
    }

    /**
     * Makes the scratch image of a disk, for the user to whom the folder was given.
     *
     * @param head what it begins with
     * @param length in bytes, more than the head has; zeros follow on it
     * @throws IOException one sentence
     */
    public void createImage(int disk, ByteBuffer head, long length) throws IOException {
        Path image = image(disk);
        try {
            try (FileChannel file = FileChannel.open(image, Set.of(StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE), PRIVATE_FILE)) {
                while (head.hasRemaining()) {
                    file.write(head);
                }
                file.write(ByteBuffer.allocate(1), length - 1);
            }
            Files.setOwner(image, Files.getOwner(folder));
        } catch (IOException e) {
            throw new QmpException("The scratch image " + image + " cannot be made (" + e + "): choose another place for scratch", e);
        }
    }

    /** The folder itself. */
    public Path path() {
        return folder;
    }

    /** Where QEMU's NBD server is to listen. */
    public Path nbdSocket() {
        return nbdSocket(folder);
    }

    /** Where we listen, and not QEMU; beside its socket. */
    Path pushSocket() {
        return nbdSocket().resolveSibling("out.sock");
    }

    /** Lets QEMU's user connect to {@link #pushSocket}, on which we listen. Once: to give what was given already would take it back. */
    synchronized void lendPushSocket(QmpClient client) throws IOException {
        if (!lent) {
            giveTo(client.peer(), pushSocket(), folder.getParent());
            lent = true;
        }
    }

    /** The socket is in the folder, or in one of the same name in a place with a short path. */
    static Path nbdSocket(Path folder) {
        Path inside = folder.resolve("nbd.sock");
        return inside.toString().getBytes(StandardCharsets.UTF_8).length <= MAX_SOCKET_PATH
                ? inside
                : SHORT_ROOT.resolve(folder.getFileName()).resolve("nbd.sock");
    }

    /** What is left on the file system of the folder. */
    public long freeBytes() {
        // Not through Files.getFileStore, which finds no mount point in a chroot.
        return folder.toFile().getUsableSpace();
    }

    /** Notes that the guest behind this agent may be frozen from now on, for whoever comes after us. */
    public void noteFrozen(String agent) throws IOException {
        Files.writeString(folder.resolve(FROZEN), agent);
    }

    /** The agent of the guest that a cut has frozen, and has not been seen to thaw. */
    public static Optional<String> frozen(Path folder) throws IOException {
        try {
            return Optional.of(Files.readString(folder.resolve(FROZEN)));
        } catch (NoSuchFileException e) {
            return Optional.empty();
        }
    }

    /** The guest goes on. */
    public static void noteThawed(Path folder) throws IOException {
        Files.deleteIfExists(folder.resolve(FROZEN));
    }

    /** Whether a living backup holds the folder. */
    public static boolean isHeld(Path folder) throws IOException {
        if (HELD.contains(folder)) {
            return true;
        }
        try (FileChannel channel = FileChannel.open(folder.resolve(LOCK), StandardOpenOption.WRITE);
                FileLock ours = channel.tryLock()) {
            return ours == null;
        } catch (NoSuchFileException e) {
            return false;
        }
    }

    /** Whether {@code path} has the form of a cut's folder; it need not exist. */
    public static boolean isOne(Path path) {
        return path.getFileName() != null && NAME.matcher(path.getFileName().toString()).matches();
    }

    /** The cut's names, from the point id in the folder's. */
    static CutNames names(Path folder) {
        return CutNames.of(folder.getFileName().toString().substring("afterimage-".length()));
    }

    /** The folders under {@code root} that cuts of the machine behind {@code qmpSocket} have made. */
    static List<Path> ofMachine(Path root, Path qmpSocket) throws IOException {
        return ofMachine(root, qmpSocket.toAbsolutePath().toString());
    }

    /** The folders under {@code root} that were made for that machine, other than those that this process holds. */
    public static List<Path> ofMachine(Path root, String machine) throws IOException {
        var found = new ArrayList<Path>();
        if (!Files.isDirectory(root)) {
            return found;
        }
        try (DirectoryStream<Path> entries = Files.newDirectoryStream(root.toAbsolutePath().normalize(), "afterimage-*")) {
            for (Path entry : entries) {
                if (isOne(entry) && Files.isDirectory(entry, LinkOption.NOFOLLOW_LINKS) && belongsTo(entry, machine)) {
                    found.add(entry);
                }
            }
        }
        return found;
    }

    private static boolean belongsTo(Path folder, String machine) throws IOException {
        if (HELD.contains(folder)) {
            return false; // a backup in this very process, and reading its lock file would drop its lock
        }
        try {
            return Files.readString(folder.resolve(LOCK)).equals(machine);
        } catch (NoSuchFileException e) {
            return false;
        }
    }

    /** Deletes a folder and what a cut puts there; it may be gone already. */
    public static void delete(Path folder) throws IOException {
        Path socketFolder = nbdSocket(folder).getParent();
        for (Path victim : socketFolder.equals(folder) ? List.of(folder) : List.of(folder, socketFolder)) {
            if (!Files.isDirectory(victim, LinkOption.NOFOLLOW_LINKS)) {
                continue;
            }
            try (DirectoryStream<Path> entries = Files.newDirectoryStream(victim)) {
                for (Path entry : entries) {
                    Files.deleteIfExists(entry);
                }
            }
            Files.deleteIfExists(victim);
        }
    }

    /** Whether a server accepts connections on a unix socket. */
    static boolean accepts(Path socket) throws IOException {
        if (!Files.exists(socket)) {
            return false;
        }
        try (SocketChannel channel = SocketChannel.open(StandardProtocolFamily.UNIX)) {
            channel.configureBlocking(false); // a full backlog must not hold us; it means that somebody listens
            channel.connect(UnixDomainSocketAddress.of(socket));
            return true;
        } catch (ConnectException e) {
            return false;
        }
    }

    /** Lets go of the lock; the files stay until {@link #delete}. */
    @Override
    public void close() throws IOException {
        HELD.remove(folder);
        lock.close();
    }

    private static void createPrivate(Path folder) throws IOException {
        Files.createDirectory(folder, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
    }

    /**
     * QEMU writes here, often as a user of its own. Its monitor's socket tells the user, unless whoever started QEMU opened the
     * socket for it: then the owner of the scratch root is believed to be QEMU's user.
     */
    private static void giveTo(UserPrincipal peer, Path folder, Path root) throws IOException {
        UserPrincipal self = Files.getOwner(folder);
        UserPrincipal owner = peer.equals(self) ? Files.getOwner(root) : peer;
        if (owner.equals(self)) {
            return;
        }
        try {
            Files.setOwner(folder, owner);
        } catch (FileSystemException e) {
            throw new QmpException("QEMU runs as user " + owner.getName() + ", who cannot use scratch space of ours: run the backup as that user"
                    + " or as root", e);
        }
    }
}
