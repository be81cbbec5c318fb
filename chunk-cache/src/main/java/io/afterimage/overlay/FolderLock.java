package io.afterimage.overlay;

import io.afterimage.overlay.OverlayException.Reason;
import java.io.Closeable;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * The right to use an overlay's folder, for one at a time on this host: a lock on its file {@code lock}, which ends with the process at the latest.
 */
public final class FolderLock implements Closeable {

    private static final String FILE = "lock";

    /** What this process has. A second look at a locked file would end the lock when it is closed: so POSIX wants it. */
    private static final Set<Path> OWN = ConcurrentHashMap.newKeySet();

    private final Path folder;
    private final FileChannel channel;

    private FolderLock(Path folder, FileChannel channel) {
        this.folder = folder;
        this.channel = channel;
    }

    /** Takes the lock, or throws an {@link OverlayException} of {@link Reason#IN_USE}. */
    public static FolderLock take(Path folder) throws IOException {
        Path real = folder.toRealPath();
        if (!OWN.add(real)) {
            throw inUse(folder);
        }
        FileChannel channel = null;
        try {
            Object before = key(real);
            channel = FileChannel.open(real.resolve(FILE), StandardOpenOption.WRITE);
            FileLock lock = channel.tryLock();
            // Another overlay of that name may have taken this one's place meanwhile, with a file of its own.
            if (lock == null || !key(real).equals(before)) {
                throw inUse(folder);
            }
            return new FolderLock(real, channel);
        } catch (IOException | RuntimeException e) {
            if (channel != null) {
                channel.close();
            }
            OWN.remove(real);
            throw e;
        }
    }

    /** Makes the file that is locked. */
    static void create(Path folder) throws IOException {
        Files.createFile(folder.resolve(FILE));
    }

    private static Object key(Path folder) throws IOException {
        return Files.readAttributes(folder.resolve(FILE), BasicFileAttributes.class).fileKey();
    }

    private static OverlayException inUse(Path folder) {
        return new OverlayException(
                Reason.IN_USE,
                "The overlay '" + folder.getFileName() + "' is in use: let its clients disconnect, or end the machine that runs on it.");
    }

    @Override
    public void close() throws IOException {
        try {
            channel.close();
        } finally {
            OWN.remove(folder);
        }
    }
}
