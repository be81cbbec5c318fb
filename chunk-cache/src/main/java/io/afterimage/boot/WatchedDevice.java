package io.afterimage.boot;

import io.afterimage.block.BlockDevice;
import io.afterimage.block.ByteRange;
import io.afterimage.block.ForwardingDevice;
import java.io.IOException;
import java.nio.ByteBuffer;

/**
 * A device whose reads are told to a {@link BootSession} while there is one, and that knows when one begins: at once if it was opened for a boot, else with a first
 * read that is of sector 0 and of hardly more. Later reads of sector 0 may be a reboot of the same machine; then only firmware proves it.
 */
final class WatchedDevice extends ForwardingDevice {

    /** Firmware reads one sector first, kernels and QEMU up to a page; who copies disks reads much more. */
    private static final long LONGEST_FIRST = 4096;

    private final BootedDisk disk;
    private final BootProfiling profiling;
    private volatile boolean untouched = true;
    private volatile BootSession session;

    WatchedDevice(BlockDevice device, BootedDisk disk, BootProfiling profiling) {
        super(device);
        this.disk = disk;
        this.profiling = profiling;
        if (profiling.occasion().isBoot()) {
            untouched = false;
            session = profiling.begin(device, disk);
        }
    }

    private void saw(long offset, long length) {
        BootSession current = session;
        if (current != null && !current.isOver()) {
            current.saw(offset, length);
        } else if ((untouched || offset == 0) && profiling.occasion().isRecorded()) {
            consider(offset, length);
        }
    }

    private synchronized void consider(long offset, long length) {
        boolean first = untouched;
        untouched = false;
        if (offset == 0 && length <= LONGEST_FIRST && length > 0 && (session == null || session.isDone())) {
            session = first ? profiling.begin(device(), disk) : profiling.beginAgain(device(), disk);
            session.saw(offset, length);
        }
    }

    @Override
    public void read(long offset, ByteBuffer target) throws IOException {
        device().checkRange(offset, target.remaining());
        saw(offset, target.remaining());
        device().read(offset, target);
    }

    @Override
    public boolean readResident(long offset, ByteBuffer target) {
        int length = target.remaining();
        if (!device().readResident(offset, target)) {
            return false;
        }
        saw(offset, length);
        return true;
    }

    @Override
    public boolean lendResident(long offset, int length, Borrower borrower) {
        if (!device().lendResident(offset, length, borrower)) {
            return false;
        }
        saw(offset, length);
        return true;
    }

    @Override
    public void prefetch(ByteRange range) {
        device().prefetch(range);
    }

    @Override
    public boolean canInterruptReads() {
        return device().canInterruptReads();
    }

    @Override
    public void close() throws IOException {
        try {
            BootSession last = session;
            if (last != null) {
                last.close();
            }
        } finally {
            super.close();
        }
    }
}
