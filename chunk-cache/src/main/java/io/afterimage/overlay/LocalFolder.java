package io.afterimage.overlay;

import io.afterimage.block.BlockDevice;
import io.afterimage.block.DeviceFullException;
import io.afterimage.block.FileDevice;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;

/** A folder of this host. */
final class LocalFolder implements OverlayFolder {

    static final String DATA = "data";

    private final Path folder;
    private final FileDevice data;

    LocalFolder(Path folder) throws IOException {
        this.folder = folder;
        data = FileDevice.openWritable(folder.resolve(DATA));
    }

    @Override
    public BlockDevice data() {
        return data;
    }

    @Override
    public Contents open(String name) throws IOException {
        return new LocalFile(folder.resolve(name), StandardOpenOption.READ, StandardOpenOption.WRITE);
    }

    @Override
    public Contents create(String name) throws IOException {
        return new LocalFile(
                folder.resolve(name),
                StandardOpenOption.CREATE,
                StandardOpenOption.TRUNCATE_EXISTING,
                StandardOpenOption.READ,
                StandardOpenOption.WRITE);
    }

    @Override
    public void rename(String from, String to) throws IOException {
        Files.move(folder.resolve(from), folder.resolve(to), StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    }

    @Override
    public void sync() throws IOException {
        sync(folder);
    }

    /** Makes the names in a folder durable. */
    static void sync(Path folder) throws IOException {
        try (FileChannel channel = FileChannel.open(folder, StandardOpenOption.READ)) {
            channel.force(true);
        }
    }

    @Override
    public String toString() {
        return folder.toString();
    }

    @Override
    public void close() throws IOException {
        data.close();
    }

    private static final class LocalFile implements Contents {

        private final Path path;
        private final FileChannel channel;

        LocalFile(Path path, StandardOpenOption... options) throws IOException {
            this.path = path;
            channel = FileChannel.open(path, options);
        }

        @Override
        public long size() throws IOException {
            return channel.size();
        }

        @Override
        public void read(long position, ByteBuffer target) throws IOException {
            long at = position;
            while (target.hasRemaining()) {
                int count = channel.read(target, at);
                if (count < 0) {
                    throw new EOFException(path + " has become shorter");
                }
                at += count;
            }
        }

        @Override
        public void write(long position, ByteBuffer source) throws IOException {
            long at = position;
            while (source.hasRemaining()) {
                try {
                    at += channel.write(source, at);
                } catch (IOException e) {
                    throw DeviceFullException.orSame(e, path);
                }
            }
        }

        @Override
        public void sync() throws IOException {
            channel.force(true);
        }

        @Override
        public void close() throws IOException {
            channel.close();
        }
    }
}
