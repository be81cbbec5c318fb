package io.afterimage.store.file;

import io.afterimage.store.ObjectKey;
import java.io.Closeable;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Files kept open between reads, the longest unused closed first. One that is in use is closed by its last user, so that the bound may be
 * exceeded by as many files as are being read.
 *
 * <p>An open file outlives its name: the object may have been overwritten or deleted, here or on another host. Therefore each use
 * compares the inode that has the name now with the open file's; while a file is open its inode is not given to another. An object that
 * another process deletes keeps its space until it is dropped here.
 */
final class OpenFiles implements Closeable {

    private final int limit;
    private final Map<ObjectKey, OpenFile> files = new LinkedHashMap<>(16, 0.75f, true);

    OpenFiles(int limit) {
        this.limit = limit;
    }

    /** A file in use until it is closed. */
    final class OpenFile implements Closeable {

        private final FileChannel channel;
        private final Object inode;
        private int users = 1;
        private boolean kept;

        private OpenFile(FileChannel channel, Object inode) {
            this.channel = channel;
            this.inode = inode;
        }

        FileChannel channel() {
            return channel;
        }

        @Override
        public void close() throws IOException {
            synchronized (files) {
                users--;
                closeUnlessNeeded();
            }
        }

        private void closeUnlessNeeded() throws IOException {
            if (users == 0 && !kept) {
                channel.close();
            }
        }
    }

    /** Opens an object's file, or takes it as it is open; {@link NoSuchFileException} if there is none. */
    OpenFile open(Folders folders, ObjectKey key) throws IOException {
        Path path = folders.root().resolve(key.value());
        while (true) {
            Object inode = inode(path);
            synchronized (files) {
                OpenFile file = files.get(key);
                if (file != null && file.inode.equals(inode) && file.channel.isOpen()) {
                    file.users++;
                    return file;
                }
            }
            FileChannel channel = FileChannel.open(folders.locate(key), StandardOpenOption.READ, LinkOption.NOFOLLOW_LINKS);
            try {
                if (inode.equals(inode(path))) {
                    return keep(key, new OpenFile(channel, inode));
                }
            } catch (IOException e) {
                channel.close();
                throw e;
            }
            // Overwritten between the look and the opening.
            channel.close();
        }
    }

    private static Object inode(Path path) throws IOException {
        BasicFileAttributes attributes = Folders.attributes(path);
        if (attributes.isDirectory()) {
            throw new NoSuchFileException(path.toString());
        }
        if (!attributes.isRegularFile()) {
            throw new ForeignFileException(path);
        }
        return attributes.fileKey();
    }

    private OpenFile keep(ObjectKey key, OpenFile file) throws IOException {
        synchronized (files) {
            file.kept = true;
            drop(files.put(key, file));
            if (files.size() > limit) {
                Iterator<OpenFile> eldest = files.values().iterator();
                OpenFile dropped = eldest.next();
                eldest.remove();
                drop(dropped);
            }
            return file;
        }
    }

    /** Lets go of an object that is no more: its space is not free while its file is open. */
    void forget(ObjectKey key) throws IOException {
        synchronized (files) {
            drop(files.remove(key));
        }
    }

    private static void drop(OpenFile file) throws IOException {
        if (file != null) {
            file.kept = false;
            file.closeUnlessNeeded();
        }
    }

    @Override
    public void close() throws IOException {
        synchronized (files) {
            for (OpenFile file : files.values()) {
                drop(file);
            }
            files.clear();
        }
    }
}
