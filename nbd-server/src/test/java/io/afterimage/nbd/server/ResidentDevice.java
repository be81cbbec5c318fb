package io.afterimage.nbd.server;

import io.afterimage.block.BlockDevice;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/** A file held in direct buffers of 64 KiB, as a warm cache of decoded chunks holds a disk. */
final class ResidentDevice implements BlockDevice {

    private static final int CHUNK = 64 << 10;

    private final ByteBuffer[] chunks;
    private final long size;

    ResidentDevice(Path file) throws IOException {
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
            size = channel.size();
            chunks = new ByteBuffer[Math.toIntExact(Math.ceilDiv(size, CHUNK))];
            for (int i = 0; i < chunks.length; i++) {
                chunks[i] = ByteBuffer.allocateDirect(CHUNK);
                while (chunks[i].hasRemaining() && channel.read(chunks[i], (long) i * CHUNK + chunks[i].position()) > 0) {
                    // reads on
                }
            }
        }
    }

    @Override
    public long size() {
        return size;
    }

    @Override
    public void read(long offset, ByteBuffer target) {
        readResident(offset, target);
    }

    @Override
    public boolean readResident(long offset, ByteBuffer target) {
        checkRange(offset, target.remaining());
        long position = offset;
        while (target.hasRemaining()) {
            int within = (int) (position % CHUNK);
            int count = Math.min(CHUNK - within, target.remaining());
            target.put(target.position(), chunks[(int) (position / CHUNK)], within, count);
            target.position(target.position() + count);
            position += count;
        }
        return true;
    }

    @Override
    public void close() {}
}
