package io.afterimage.index;

import java.io.Closeable;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.stream.Stream;

/** The folder that an index may use alone: the one asked for, or a temporary one while another process has that. */
final class IndexLock implements Closeable {

    private final Path folder;
    private final FileChannel channel;
    private final boolean temporary;

    private IndexLock(Path folder, FileChannel channel, boolean temporary) {
        this.folder = folder;
        this.channel = channel;
        this.temporary = temporary;
    }

    static IndexLock take(Path folder) throws IOException {
        Files.createDirectories(folder);
        FileChannel channel =
                FileChannel.open(folder.resolve("lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
        if (isLocked(channel)) {
            return new IndexLock(folder, channel, false);
        }
        channel.close();
        return temporary();
    }

    /** A folder that is gone when this is closed. */
    static IndexLock temporary() throws IOException {
        return new IndexLock(Files.createTempDirectory("afterimage-index"), null, true);
    }

    private static boolean isLocked(FileChannel channel) throws IOException {
        try {
            FileLock lock = channel.tryLock();
            return lock != null;
        } catch (OverlappingFileLockException e) {
            return false;
        }
    }

    Path folder() {
        return folder;
    }

    @Override
    public void close() throws IOException {
        if (!temporary) {
            channel.close();
            return;
        }
        List<Path> files;
        try (Stream<Path> listed = Files.list(folder)) {
            files = listed.toList();
        }
        for (Path file : files) {
            Files.delete(file);
        }
        Files.delete(folder);
    }
}
