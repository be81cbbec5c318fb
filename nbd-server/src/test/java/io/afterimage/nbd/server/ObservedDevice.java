package io.afterimage.nbd.server;

import io.afterimage.block.BlockDevice;
import io.afterimage.block.ByteRange;
import io.afterimage.block.DeviceFullException;
import io.afterimage.block.MemoryDevice;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;

/** A device that notes what is done to it, and can be made to wait, to be full, and to lose its disk when it is flushed. */
final class ObservedDevice implements BlockDevice {

    /** The calls that have returned well, in order. */
    final List<String> done = new CopyOnWriteArrayList<>();

    /** Reads at offset 0 wait for it. */
    volatile CountDownLatch reads = new CountDownLatch(0);

    volatile boolean full;
    volatile boolean flushFails;

    private final MemoryDevice device = new MemoryDevice(1 << 20);

    @Override
    public long size() {
        return device.size();
    }

    @Override
    public void read(long offset, ByteBuffer target) throws IOException {
        try {
            if (offset == 0) {
                reads.await();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException(e);
        }
        device.read(offset, target);
    }

    @Override
    public boolean canWrite() {
        return true;
    }

    @Override
    public void write(long offset, ByteBuffer source) throws IOException {
        if (full) {
            throw new DeviceFullException("no room below /secret/path", null);
        }
        device.write(offset, source);
        done.add("write");
    }

    @Override
    public void zero(ByteRange range, boolean mayFree) {
        device.zero(range, mayFree);
        done.add(mayFree ? "zero" : "zero and keep");
    }

    @Override
    public void trim(ByteRange range) throws IOException {
        device.trim(range);
        done.add("trim");
    }

    @Override
    public void flush() throws IOException {
        if (flushFails) {
            throw new IOException("the disk below /secret/path is gone");
        }
        done.add("flush");
    }

    @Override
    public void close() {}
}
