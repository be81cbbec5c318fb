package io.afterimage.block;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class FileDeviceTest {

    @TempDir
    static Path folder;

    private static final AtomicLong COUNT = new AtomicLong();

    private static Path file(byte[] content) throws IOException {
        return Files.write(folder.resolve("file-" + COUNT.incrementAndGet()), content);
    }

    @Nested
    final class Writable extends BlockDeviceContract {
        @Override
        protected BlockDevice create(byte[] content) throws IOException {
            return FileDevice.openWritable(file(content));
        }
    }

    @Nested
    final class ReadOnly extends BlockDeviceContract {
        @Override
        protected BlockDevice create(byte[] content) throws IOException {
            return FileDevice.openReadOnly(file(content));
        }
    }

    @Test
    void knowsItsHoles() throws IOException {
        Path path = folder.resolve("sparse");
        try (FileDevice device = FileDevice.create(path, 16 << 20)) {
            device.write(4 << 20, ByteBuffer.wrap(new byte[1 << 20]));
            assertEquals(
                    List.of(
                            new Extent(0, 4 << 20, Extent.Kind.HOLE),
                            new Extent(4 << 20, 1 << 20, Extent.Kind.DATA),
                            new Extent(5 << 20, 11 << 20, Extent.Kind.HOLE)),
                    device.extents(new ByteRange(0, 16 << 20), 10));
            MemoryDevice copy = new MemoryDevice(16 << 20);
            AtomicLong copied = new AtomicLong();
            device.write(9 << 20, ByteBuffer.wrap(new byte[] {1, 2, 3}));
            BlockCopier.DEFAULT.copy(device, copy, copied::addAndGet);
            assertEquals(16 << 20, copied.get());
            ByteBuffer read = ByteBuffer.allocate(3);
            copy.read(9 << 20, read);
            assertEquals(ByteBuffer.wrap(new byte[] {1, 2, 3}), read.flip());
            assertEquals(Extent.Kind.HOLE, copy.extents(new ByteRange(4 << 20, 1 << 20), 1).getFirst().kind(), "zeros are not written");
        }
        assertThrows(FileAlreadyExistsException.class, () -> FileDevice.create(path, 1));
    }
}
