package io.afterimage.overlay;

import io.afterimage.block.BlockDevice;
import io.afterimage.block.ByteRange;
import io.afterimage.block.Extent;
import io.afterimage.block.FileDevice;
import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.locks.Lock;
import java.util.concurrent.locks.ReadWriteLock;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import java.util.stream.Stream;

/**
 * A base device, and over it what was written since, in blocks of 4 KiB. The base is never changed; a write of whole blocks never reads it, a
 * write of a part of one reads that block once. What a {@link #flush} has confirmed is there after a kill or a power cut.
 *
 * <h2>How</h2>
 *
 * A written block lies in a sparse data file at its own place. Two bits a block say where its bytes are ({@link BlockState}); in memory always, in the file of the map as of
 * the last flush. A flush takes the pages of the map that have changed, syncs the data file, then appends the pages and syncs the map. So the map that is found after a crash
 * never claims a block that is not in the data file, and what the data file has beyond the map is not seen, and freed when the overlay is opened. Blocks that
 * have been recorded once are written in place: a flush after such writes costs one sync. Reading is {@link OverlayReader}'s, recording {@link OverlayRecord}'s, writing is done here.
 *
 * <p>After a crash each 512 bytes hold what they held at the last flush, or what one of the writes after it has put there; that is what disks do.
 *
 * <h2>Who waits for whom</h2>
 *
 * Reads take no lock. A page has a lock, one of some hundred: shared by writes to blocks that are in the data file, alone for a change of states. The base is read
 * before that lock is taken, so that a slow store holds up nobody else. A failed sync ends all writing until the overlay is opened again, since
 * the kernel may have dropped what it could not write, and would confirm the next sync.
 */
public final class OverlayDevice implements BlockDevice {

    private static final int BLOCK = BlockStates.BLOCK;
    private static final int LOCKS = 256;
    private static final int EXTENTS_AT_ONCE = 1024;

    private final BlockDevice base;
    private final OverlayFolder folder;
    private final Closeable lock;
    private final BlockDevice data;
    private final long size;
    private final BlockStates states;
    private final Capacity capacity;
    private final OverlayReader reader;
    private final OverlayRecord record;
    private final ReadWriteLock[] pageLocks = Stream.generate(ReentrantReadWriteLock::new).limit(LOCKS).toArray(ReadWriteLock[]::new);
    private volatile boolean closed;

    private OverlayDevice(BlockDevice base, OverlayFolder folder, Closeable lock, long limit, long shortLog) throws IOException {
        this.base = base;
        this.folder = folder;
        this.lock = lock;
        data = folder.data();
        size = base.size();
        states = new BlockStates(size);
        if (data.size() != states.blocks() * BLOCK) {
            throw new OverlayException(
                    OverlayException.Reason.DAMAGED,
                    "The data of the overlay in " + folder + " are damaged (there are " + data.size() + " bytes of a disk of " + size
                            + "): put the folder back from a copy, or give the overlay up with 'afterimage discard'.");
        }
        reader = new OverlayReader(base, data, states);
        record = new OverlayRecord(folder, data, size, states, shortLog);
        capacity = new Capacity(limit);
        capacity.count(states.allocated(0, states.blocks()));
    }

    /** Where in an overlay's folder its blocks lie: a sparse file. */
    public static Path data(Path folder) {
        return folder.resolve(LocalFolder.DATA);
    }

    /** Makes an overlay over a disk of {@code diskSize} bytes in an empty folder. Durable when it returns, but for the folder's own name. */
    public static void create(Path folder, long diskSize) throws IOException {
        FileDevice.create(data(folder), Math.ceilDiv(diskSize, (long) BLOCK) * BLOCK).close();
        try (LocalFolder files = new LocalFolder(folder)) {
            files.data().flush();
            FolderLock.create(folder);
            OverlayMap.create(files, UUID.randomUUID(), diskSize);
        }
    }

    /**
     * Opens the overlay in a folder. Only one may be open at a time, on this host.
     *
     * @param base what it was made over, never changing; closed with the overlay, unless this throws
     * @param limit most bytes of the data file
     * @throws OverlayException if it is in use or damaged
     */
    public static OverlayDevice open(Path folder, BlockDevice base, long limit) throws IOException {
        FolderLock lock = FolderLock.take(folder);
        try {
            return open(new LocalFolder(folder), lock, base, limit, OverlayMap.SHORT_LOG);
        } catch (IOException | RuntimeException e) {
            lock.close();
            throw e;
        }
    }

    /** @param shortLog bytes that the map's log may have whatever the map's size */
    static OverlayDevice open(OverlayFolder folder, Closeable lock, BlockDevice base, long limit, long shortLog) throws IOException {
        try {
            OverlayDevice device = new OverlayDevice(base, folder, lock, limit, shortLog);
            device.freeWhatIsNotSeen();
            return device;
        } catch (IOException | RuntimeException e) {
            folder.close();
            throw e;
        }
    }

    /** A crash leaves blocks in the data file that the map does not know of. */
    private void freeWhatIsNotSeen() throws IOException {
        long at = 0;
        while (at < data.size()) {
            for (Extent extent : data.extents(ByteRange.between(at, data.size()), EXTENTS_AT_ONCE)) {
                at = extent.range().end();
                if (extent.kind() == Extent.Kind.DATA) {
                    freeWhatIsNotSeen(extent.range().offset() / BLOCK, at / BLOCK);
                }
            }
        }
    }

    private void freeWhatIsNotSeen(long from, long end) throws IOException {
        long next;
        for (long block = from; block < end; block = next) {
            BlockState state = states.get(block);
            next = states.runEnd(block, end, state);
            if (!state.isAllocated()) {
                data.trim(ByteRange.between(block * BLOCK, next * BLOCK));
            }
        }
    }

    @Override
    public long size() {
        return size;
    }

    /** Bytes of the data file that are in use. */
    public long usedBytes() {
        return capacity.takenBytes();
    }

    /** Where this device may differ from its base, zeroed ranges included: ordered, with a gap between any two. */
    public List<ByteRange> changes() {
        List<ByteRange> ranges = new ArrayList<>();
        long start = -1;
        long next;
        for (long block = 0; block < states.blocks(); block = next) {
            BlockState state = states.get(block);
            next = states.runEnd(block, states.blocks(), state);
            if (state == BlockState.BASE) {
                start = -1;
            } else {
                if (start < 0) {
                    start = block * BLOCK;
                } else {
                    ranges.removeLast();
                }
                ranges.add(ByteRange.between(start, Math.min(size, next * BLOCK)));
            }
        }
        return ranges;
    }

    @Override
    public void read(long offset, ByteBuffer target) throws IOException {
        checkRange(offset, target.remaining());
        reader.read(offset, target);
    }

    @Override
    public boolean readResident(long offset, ByteBuffer target) {
        checkRange(offset, target.remaining());
        return reader.readResident(offset, target);
    }

    @Override
    public boolean lendResident(long offset, int length, Borrower borrower) {
        checkRange(offset, length);
        return reader.lendResident(offset, length, borrower);
    }

    @Override
    public void prefetch(ByteRange range) {
        checkRange(range.offset(), range.length());
        reader.prefetch(range);
    }

    @Override
    public List<Extent> extents(ByteRange range, int limit) throws IOException {
        checkRange(range.offset(), range.length());
        return reader.extents(range, limit);
    }

    @Override
    public boolean canWrite() {
        return true;
    }

    @Override
    public boolean canZeroFast() {
        return true;
    }

    @Override
    public void write(long offset, ByteBuffer source) throws IOException {
        checkRange(offset, source.remaining());
        record.requireSound();
        long position = offset;
        long end = offset + source.remaining();
        while (position < end) {
            long block = position / BLOCK;
            long wholeEnd = wholeBlocksEnd(position, Math.min(end, pageEnd(block)));
            long next = wholeEnd > position ? wholeEnd : Math.min(end, (block + 1) * BLOCK);
            ByteBuffer piece = source.slice(source.position(), (int) (next - position));
            if (wholeEnd > position) {
                writeBlocks(block, Math.ceilDiv(next, (long) BLOCK), piece);
            } else {
                writePart(block, position, piece);
            }
            source.position(source.position() + (int) (next - position));
            position = next;
        }
    }

    private static long pageEnd(long block) {
        return (BlockStates.page(block) + 1L) * BlockStates.PAGE * BLOCK;
    }

    /** Where the whole blocks of {@code [start, end)} end that begin at {@code start}; the disk's last block may be short. */
    private long wholeBlocksEnd(long start, long end) {
        return start % BLOCK != 0 ? start : end == size ? end : Math.max(start, end / BLOCK * BLOCK);
    }

    private Lock shared(long block) {
        return pageLocks[BlockStates.page(block) % LOCKS].readLock();
    }

    private Lock exclusive(long block) {
        return pageLocks[BlockStates.page(block) % LOCKS].writeLock();
    }

    /** Writes whole blocks of one page. */
    private void writeBlocks(long from, long end, ByteBuffer bytes) throws IOException {
        if (overwrite(from, end, from * BLOCK, bytes)) {
            return;
        }
        Lock alone = exclusive(from);
        alone.lock();
        try {
            store(from, end, bytes);
        } finally {
            alone.unlock();
        }
    }

    /** Writes a part of one block. */
    private void writePart(long block, long position, ByteBuffer bytes) throws IOException {
        if (overwrite(block, block + 1, position, bytes)) {
            return;
        }
        ByteBuffer whole = ByteBuffer.allocateDirect((int) (Math.min(size, (block + 1) * BLOCK) - block * BLOCK));
        if (states.get(block) == BlockState.BASE) {
            base.read(block * BLOCK, whole);
            whole.clear();
        }
        Lock alone = exclusive(block);
        alone.lock();
        try {
            switch (states.get(block)) {
                case DATA -> data.write(position, bytes);
                case BASE -> store(block, block + 1, whole.put((int) (position - block * BLOCK), bytes, bytes.position(), bytes.remaining()));
                case HOLE, ZERO -> {
                    // No block comes to be of the base again; but it may have been until a moment ago.
                    OverlayReader.putZeros(whole);
                    store(block, block + 1, whole.clear().put((int) (position - block * BLOCK), bytes, bytes.position(), bytes.remaining()));
                }
            }
        } finally {
            alone.unlock();
        }
    }

    /** Writes in place if all the blocks are in the data file; they are of one page. */
    private boolean overwrite(long from, long end, long position, ByteBuffer bytes) throws IOException {
        if (!isData(from, end)) {
            return false;
        }
        Lock together = shared(from);
        together.lock();
        try {
            if (!isData(from, end)) {
                return false;
            }
            data.write(position, bytes);
            return true;
        } finally {
            together.unlock();
        }
    }

    private boolean isData(long from, long end) {
        return states.get(from) == BlockState.DATA && states.runEnd(from, end, BlockState.DATA) == end;
    }

    /** Writes whole blocks of a page whose lock is held alone. */
    private void store(long from, long end, ByteBuffer bytes) throws IOException {
        long fresh = end - from - states.allocated(from, end);
        capacity.take(fresh);
        try {
            data.write(from * BLOCK, bytes);
        } catch (IOException | RuntimeException e) {
            capacity.give(fresh);
            throw e;
        }
        states.set(from, end, BlockState.DATA);
        record.changed(BlockStates.page(from));
    }

    @Override
    public void zero(ByteRange range, boolean mayFree) throws IOException {
        checkRange(range.offset(), range.length());
        record.requireSound();
        long from = Math.min(range.end(), Math.ceilDiv(range.offset(), (long) BLOCK) * BLOCK);
        long end = Math.max(from, wholeBlocksEnd(from, range.end()));
        zeroPart(ByteRange.between(range.offset(), from), mayFree);
        zeroPart(ByteRange.between(end, range.end()), mayFree);
        if (from < end && mayFree) {
            free(from / BLOCK, Math.ceilDiv(end, (long) BLOCK));
        } else if (from < end) {
            reserve(from / BLOCK, Math.ceilDiv(end, (long) BLOCK));
        }
    }

    /** Zeros within one block. */
    private void zeroPart(ByteRange range, boolean mayFree) throws IOException {
        if (!range.isEmpty() && !(mayFree && states.get(range.offset() / BLOCK) == BlockState.HOLE)) {
            writePart(range.offset() / BLOCK, range.offset(), ByteBuffer.allocateDirect((int) range.length()));
        }
    }

    private void free(long from, long end) throws IOException {
        long freed = 0;
        long next;
        for (long block = from; block < end; block = next) {
            next = Math.min(end, (BlockStates.page(block) + 1L) * BlockStates.PAGE);
            Lock alone = exclusive(block);
            alone.lock();
            try {
                freed += states.allocated(block, next);
                states.set(block, next, BlockState.HOLE);
                record.changed(BlockStates.page(block));
            } finally {
                alone.unlock();
            }
        }
        if (freed > 0) {
            // Whoever writes here meanwhile writes what is being zeroed: either order will do.
            data.trim(ByteRange.between(from * BLOCK, end * BLOCK));
            capacity.give(freed);
        }
    }

    private void reserve(long from, long end) throws IOException {
        long next;
        for (long block = from; block < end; block = next) {
            next = Math.min(end, (BlockStates.page(block) + 1L) * BlockStates.PAGE);
            Lock alone = exclusive(block);
            alone.lock();
            try {
                long fresh = next - block - states.allocated(block, next);
                capacity.take(fresh);
                try {
                    data.zero(ByteRange.between(block * BLOCK, next * BLOCK), false);
                } catch (IOException | RuntimeException e) {
                    capacity.give(fresh);
                    throw e;
                }
                states.set(block, next, BlockState.ZERO);
                record.changed(BlockStates.page(block));
            } finally {
                alone.unlock();
            }
        }
    }

    /** Blocks that are trimmed whole read as zeros and take no room, though the base has something there. */
    @Override
    public void trim(ByteRange range) throws IOException {
        checkRange(range.offset(), range.length());
        record.requireSound();
        long from = Math.min(range.end(), Math.ceilDiv(range.offset(), (long) BLOCK) * BLOCK);
        long end = wholeBlocksEnd(from, range.end());
        if (from < end) {
            free(from / BLOCK, Math.ceilDiv(end, (long) BLOCK));
        }
    }

    @Override
    public void flush() throws IOException {
        record.flush();
    }

    /** Makes all changes durable and lets others open the overlay. Whoever still uses it gets errors. */
    @Override
    public void close() throws IOException {
        synchronized (this) {
            if (closed) {
                return;
            }
            closed = true;
        }
        try (Abandoned _ = this::release) {
            record.flushForLast();
        }
    }

    /** An overlay that is still its last user's alone, until this is closed, and that is not written to any more. */
    @FunctionalInterface
    public interface Abandoned extends Closeable {}

    /** Ends the use without making anything durable, for who is about to remove the folder. Close what is returned instead of the device. */
    public Abandoned abandon() {
        synchronized (this) {
            closed = true;
            record.end("discarded");
        }
        return this::release;
    }

    private void release() throws IOException {
        record.end("closed");
        try (lock;
                base;
                folder) {
            record.close();
        }
    }
}
