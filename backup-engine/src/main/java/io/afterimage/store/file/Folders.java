package io.afterimage.store.file;

import io.afterimage.store.ObjectKey;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/** The folders of a store: from key to path, without a link on the way, and made durable before anything is put in them. */
final class Folders {

    private static final FileAttribute<Set<PosixFilePermission>> OWNER_ONLY =
            PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------"));

    private final Path root;
    /** Device and inode of the root. */
    private final Object identity;
    /** Folders whose entry in their parent was synced by this process, whoever made them. */
    private final Set<Path> durable = ConcurrentHashMap.newKeySet();

    private Folders(Path root) throws IOException {
        this.root = root.toRealPath();
        this.identity = identity(this.root);
    }

    static Folders open(Path root) throws IOException {
        try {
            return new Folders(root);
        } catch (NoSuchFileException e) {
            throw new StoreMissingException(e);
        }
    }

    static Folders create(Path root) throws IOException {
        Path absolute = root.toAbsolutePath().normalize();
        Path existing = absolute;
        while (!Files.exists(existing) && existing.getParent() != null) {
            existing = existing.getParent();
        }
        Files.createDirectories(absolute, OWNER_ONLY);
        for (Path made = absolute; !made.equals(existing); made = made.getParent()) {
            sync(made.getParent());
        }
        return new Folders(absolute);
    }

    Path root() {
        return root;
    }

    /** Throws {@link StoreMissingException} unless the root is the folder that was opened. */
    void checkRoot() throws IOException {
        try {
            if (!Objects.equals(identity, identity(root))) {
                throw new StoreMissingException(null);
            }
        } catch (NoSuchFileException | NotDirectoryException e) {
            throw new StoreMissingException(e);
        }
    }

    private static Object identity(Path folder) throws IOException {
        BasicFileAttributes attributes = attributes(folder);
        if (!attributes.isDirectory()) {
            throw new NotDirectoryException(folder.toString());
        }
        return attributes.fileKey();
    }

    static BasicFileAttributes attributes(Path path) throws IOException {
        return Files.readAttributes(path, BasicFileAttributes.class, LinkOption.NOFOLLOW_LINKS);
    }

    /** The path of an object; {@link NoSuchFileException} if a folder on the way is missing. The object itself may be missing. */
    Path locate(ObjectKey key) throws IOException {
        Path path = root.resolve(key.value());
        for (Path folder = path.getParent(); !folder.equals(root); folder = folder.getParent()) {
            checkFolder(folder);
        }
        return path;
    }

    /** The path of an object, the folders on the way made where they are missing, and durable. */
    Path provide(ObjectKey key) throws IOException {
        Path path = root.resolve(key.value());
        provideFolder(path.getParent());
        return path;
    }

    private void provideFolder(Path folder) throws IOException {
        if (folder.equals(root)) {
            return;
        }
        provideFolder(folder.getParent());
        try {
            checkFolder(folder);
        } catch (NoSuchFileException e) {
            durable.remove(folder);
            try {
                Files.createDirectory(folder, OWNER_ONLY);
            } catch (FileAlreadyExistsException raced) {
                checkFolder(folder);
            }
        }
        // Whoever made the folder may not have synced its entry yet, or may have died before.
        if (!durable.contains(folder)) {
            sync(folder.getParent());
            durable.add(folder);
        }
    }

    private static void checkFolder(Path folder) throws IOException {
        if (!attributes(folder).isDirectory()) {
            throw new ForeignFileException(folder);
        }
    }

    /** Throws {@link ForeignFileException} if something else than a file has the name of an object. */
    void checkReplaceable(Path path) throws IOException {
        try {
            if (!attributes(path).isRegularFile()) {
                throw new ForeignFileException(path);
            }
        } catch (NoSuchFileException e) {
            // Free to be used.
        }
    }

    /** Makes durable what was made, renamed or removed in a folder. */
    static void sync(Path folder) throws IOException {
        try (FileChannel channel = FileChannel.open(folder, StandardOpenOption.READ)) {
            channel.force(true);
        }
    }
}
