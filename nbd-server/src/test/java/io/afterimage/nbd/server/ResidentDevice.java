package io.afterimage.nbd.server;

import io.afterimage.block.BlockDevice;
import java.io.IOException;
import java.nio.ByteBuffer;

/** A device held in direct buffers of 64 KiB, as a warm cache of decoded chunks holds a disk. */
final class ResidentDevice implements BlockDevice {

    private static final int CHUNK = 64 << 10;

    private final ByteBuffer[] chunks;
    private final long size;

    ResidentDevice(BlockDevice source) throws IOException {
        size = source.size();
        chunks = new ByteBuffer[Math.toIntExact(Math.ceilDiv(size, CHUNK))];
        for (int i = 0; i < chunks.length; i++) {
            chunks[i] = ByteBuffer.allocateDirect((int) Math.min(CHUNK, size - (long) i * CHUNK));
            source.read((long) i * CHUNK, chunks[i]);
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
    public boolean lendResident(long offset, int length, Borrower borrower) {
        checkRange(offset, length);
        for (long position = offset; position < offset + length; ) {
            int within = (int) (position % CHUNK);
            int count = (int) Math.min(CHUNK - within, offset + length - position);
            borrower.borrow(chunks[(int) (position / CHUNK)].slice(within, count), ResidentDevice::keep);
            position += count;
        }
        return true;
    }

    /** The buffers live as long as the device. */
    private static void keep() {}

    @Override
    public void close() {}
}
