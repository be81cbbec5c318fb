package io.afterimage.image;

import io.afterimage.block.BlockDevice;
import io.afterimage.block.ByteRange;
import io.afterimage.block.Extent;
import io.afterimage.cache.MemoryTier;
import io.afterimage.catalog.OpenPoints;
import io.afterimage.chunk.ChunkAddress;
import io.afterimage.fetch.Lane;
import io.afterimage.fetch.Want;
import io.afterimage.manifest.BlockMap;
import io.afterimage.manifest.Manifest;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;

/**
 * One disk as it was at one point: read-only, never changing, whatever happens to the point's descriptor meanwhile. Every
 * byte has been checked against its chunk's hash before it is handed out, and every number of the map before it is used: where the map is damaged reads fail. Thread-safe.
 */
public final class PointInTimeImage implements BlockDevice {

    /** Lent where the disk is zeros. Nobody writes to what is lent. */
    private static final ByteBuffer ZEROS = ByteBuffer.allocateDirect(64 << 10);

    @SuppressWarnings("unused") // held, not read
    private final Manifest manifest;

    private final BlockMap map;
    private final MemoryTier memory;
    private final Lane lane;
    private final Foresight foresight;
    private final ReadCounters counters;
    private final int chunkSize;
    private final AtomicReference<OpenPoints.Opening> opening;

    /**
     * @param manifest of which the map is: while the image is open, others that are opened share it
     * @param lane the image's own; closed with it
     * @param opening what keeps the point's packs from being deleted; closed with the image
     */
    PointInTimeImage(Manifest manifest, BlockMap map, MemoryTier memory, Lane lane, ReadCounters counters, OpenPoints.Opening opening) {
        this.manifest = manifest;
        this.map = map;
        this.memory = memory;
        this.lane = lane;
        this.counters = counters;
        this.opening = new AtomicReference<>(opening);
        chunkSize = map.chunkSize().bytes();
        foresight = new Foresight(map, lane, memory.capacity());
    }

    @Override
    public long size() {
        return map.diskSize();
    }

    @Override
    public void read(long offset, ByteBuffer target) throws IOException {
        int length = target.remaining();
        checkRange(offset, length);
        int begin = target.position();
        List<Want> wants = new ArrayList<>();
        long lastMissing = -1;
        try {
            while (target.hasRemaining()) {
                long chunk = (offset + target.position() - begin) / chunkSize;
                if (!copyResident(offset - begin, target)) {
                    wants.add(want(map.address(chunk), offset - begin, target));
                    lastMissing = chunk;
                }
            }
        } catch (UncheckedIOException e) {
            throw e.getCause();
        }
        counters.read(wants.size(), length / chunkSize + 1 - wants.size());
        if (!wants.isEmpty()) {
            Foresight.Along along = foresight.missed(offset, offset + length, lastMissing);
            lane.read(wants, along.chunks(), along.guess());
        }
    }

    /** Wants the rest of the chunk at the target's position, and steps over it. */
    private Want want(ChunkAddress address, long diskOffsetOfTarget, ByteBuffer target) {
        int at = target.position();
        int within = (int) ((diskOffsetOfTarget + at) % chunkSize);
        int count = Math.min(chunkSize - within, target.remaining());
        target.position(at + count);
        return new Want(address, chunk -> target.put(at, chunk, within, count));
    }

    /** Copies what the target still takes of the chunk at its position; false, with the target as it was, if that is not at hand. */
    private boolean copyResident(long diskOffsetOfTarget, ByteBuffer target) {
        long position = diskOffsetOfTarget + target.position();
        int within = (int) (position % chunkSize);
        int count = Math.min(chunkSize - within, target.remaining());
        ChunkAddress address = map.address(position / chunkSize);
        if (address == null) {
            putZeros(target, count);
            return true;
        }
        return memory.copy(address, within, count, target);
    }

    @Override
    public boolean readResident(long offset, ByteBuffer target) {
        int length = target.remaining();
        checkRange(offset, length);
        int begin = target.position();
        try {
            while (target.hasRemaining()) {
                if (!copyResident(offset - begin, target)) {
                    target.position(begin);
                    return false;
                }
            }
        } catch (UncheckedIOException _) {
            // The map is damaged there, which a read will say.
            target.position(begin);
            return false;
        }
        wasAtHand(offset, length);
        return true;
    }

    @Override
    public boolean lendResident(long offset, int length, Borrower borrower) {
        checkRange(offset, length);
        List<MemoryTier.Loan> loans = borrowAll(offset, length);
        if (loans == null) {
            return false;
        }
        Iterator<MemoryTier.Loan> next = loans.iterator();
        for (long position = offset; position < offset + length; ) {
            int within = (int) (position % chunkSize);
            int count = (int) Math.min(chunkSize - within, offset + length - position);
            MemoryTier.Loan loan = next.next();
            if (loan != null) {
                borrower.borrow(loan.bytes(within, count), loan::giveBack);
            } else {
                lendZeros(count, borrower);
            }
            position += count;
        }
        wasAtHand(offset, length);
        return true;
    }

    /** A loan for each chunk of the range, null for one of zeros; null, with nothing borrowed, unless all can be had. */
    private List<MemoryTier.Loan> borrowAll(long offset, int length) {
        List<MemoryTier.Loan> loans = new ArrayList<>();
        try {
            for (long chunk = offset / chunkSize; chunk * chunkSize < offset + length; chunk++) {
                ChunkAddress address = map.address(chunk);
                MemoryTier.Loan loan = address == null ? null : memory.lend(address);
                if (loan == null && address != null) {
                    giveBack(loans);
                    return null;
                }
                loans.add(loan);
            }
            return loans;
        } catch (UncheckedIOException _) {
            // The map is damaged there, which a read will say.
            giveBack(loans);
            return null;
        }
    }

    private static void giveBack(List<MemoryTier.Loan> loans) {
        for (MemoryTier.Loan loan : loans) {
            if (loan != null) {
                loan.giveBack();
            }
        }
    }

    private static void lendZeros(int count, Borrower borrower) {
        for (int left = count; left > 0; left -= ZEROS.capacity()) {
            borrower.borrow(ZEROS.slice(0, Math.min(left, ZEROS.capacity())), PointInTimeImage::keepZeros);
        }
    }

    private static void keepZeros() {}

    private void wasAtHand(long offset, int length) {
        counters.read(0, length / chunkSize + 1);
        foresight.hit(offset, offset + length);
    }

    private static void putZeros(ByteBuffer target, int count) {
        int left = count;
        for (; left >= Long.BYTES; left -= Long.BYTES) {
            target.putLong(0);
        }
        for (; left > 0; left--) {
            target.put((byte) 0);
        }
    }

    @Override
    public boolean canInterruptReads() {
        return true;
    }

    /**
     * {@inheritDoc}
     *
     * <p>Hints are followed in the order in which they come, when nothing else is to be fetched; chunks that lie together in a pack come together, whichever hints they
     * are of. They pause while a quarter of the memory tier is full of guesses that nobody has read, so that useless ones cost no more than that. Of one hint no more is
     * fetched than half of the tier: the rest would push out what it has brought. Closing the image ends them.
     */
    @Override
    public void prefetch(ByteRange range) {
        checkRange(range.offset(), range.length());
        long length = Math.min(range.length(), memory.capacity() / 2);
        if (length > 0) {
            lane.hint(foresight.addresses(range.offset(), range.offset() + length));
        }
    }

    @Override
    public List<Extent> extents(ByteRange range, int limit) throws IOException {
        checkRange(range.offset(), range.length());
        try {
            return map.extents(range, limit);
        } catch (UncheckedIOException e) {
            throw e.getCause();
        }
    }

    @Override
    public void close() {
        OpenPoints.Opening held = opening.getAndSet(null);
        if (held != null) {
            lane.close();
            held.close();
        }
    }
}
