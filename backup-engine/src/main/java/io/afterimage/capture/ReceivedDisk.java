package io.afterimage.capture;

import io.afterimage.block.BlockDevice;
import io.afterimage.block.ByteRange;
import io.afterimage.chunk.ChunkSize;
import io.afterimage.repository.PointWriter;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.BitSet;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.TimeUnit;

/**
 * The device that a {@link PushedDisk} is written to: cuts what comes into chunks and examines each as soon as it is complete, by
 * the threads that bring it. It keeps no disk: chunks wait in a queue of bounded size, and with them the sender. Every byte is
 * taken once, since what was written may be on its way to the store already. Thread-safe; {@link #take} for one thread.
 */
final class ReceivedDisk implements BlockDevice {

    /** Bytes of examined chunks that wait to be stored. */
    private static final int QUEUED = 16 << 20;
    /** Bytes of chunks of which a part has come: a sender goes through the disk by and large in order, so there are few. */
    private static final int INCOMPLETE = 128 << 20;
    private static final long LOOK_AGAIN_MILLIS = 100;

    private final long size;
    private final int chunkBytes;
    private final PointWriter writer;
    private final BlockingQueue<Piece> queue;
    private final Map<Long, ChunkParts> incomplete = new HashMap<>();
    private final BitSet whole = new BitSet();
    private long bytes;
    private volatile IOException failure;
    private volatile boolean ended;

    /**
     * What has come: an examined chunk, or chunks {@code [first, end)} that are zeros by word alone.
     *
     * @param bytes of it that lie on the disk
     */
    record Piece(long first, long end, ExaminedChunk chunk, long bytes) {

        static final Comparator<Piece> ORDER = Comparator.comparingLong(Piece::first);

        boolean zeros() {
            return chunk == null;
        }
    }

    ReceivedDisk(long size, ChunkSize chunkSize, PointWriter writer) {
        this.size = size;
        this.writer = writer;
        chunkBytes = chunkSize.bytes();
        queue = new ArrayBlockingQueue<>(Math.max(4, QUEUED / chunkBytes));
    }

    @Override
    public long size() {
        return size;
    }

    @Override
    public void read(long offset, ByteBuffer target) throws IOException {
        throw new IOException("a disk that is being received cannot be read");
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
        long at = offset;
        while (source.hasRemaining()) {
            long chunk = at / chunkBytes;
            int within = (int) (at - chunk * chunkBytes);
            int count = Math.min(source.remaining(), length(chunk) - within);
            receive(chunk, within, source.slice(source.position(), count));
            source.position(source.position() + count);
            at += count;
        }
    }

    @Override
    public void zero(ByteRange range, boolean mayFree) throws IOException {
        checkRange(range.offset(), range.length());
        long first = Math.ceilDiv(range.offset(), chunkBytes);
        long end = range.end() == size ? Math.ceilDiv(size, chunkBytes) : range.end() / chunkBytes;
        if (first >= end) {
            zeroParts(range.offset(), range.end());
            return;
        }
        zeroParts(range.offset(), first * chunkBytes);
        zeroParts(Math.min(range.end(), end * chunkBytes), range.end());
        long length = Math.min(size, end * chunkBytes) - first * chunkBytes;
        complete(first, end, length);
        hand(new Piece(first, end, null, length));
    }

    @Override
    public void trim(ByteRange range) throws IOException {
        zero(range, true);
    }

    /** Zeros that are less than a chunk, or parts of two. */
    private void zeroParts(long from, long to) throws IOException {
        for (long at = from; at < to; ) {
            long chunk = at / chunkBytes;
            int within = (int) (at - chunk * chunkBytes);
            int count = (int) Math.min(to - at, length(chunk) - within);
            receive(chunk, within, ByteBuffer.allocate(count));
            at += count;
        }
    }

    /** How much of a chunk lies on the disk. */
    private int length(long chunk) {
        return (int) Math.min(chunkBytes, size - chunk * chunkBytes);
    }

    private void receive(long chunk, int within, ByteBuffer part) throws IOException {
        int length = length(chunk);
        byte[] content;
        if (part.remaining() == length) {
            content = new byte[chunkBytes];
            part.get(content, 0, length);
            complete(chunk, chunk + 1, length);
        } else {
            content = assemble(chunk, within, part, length);
            if (content == null) {
                return;
            }
        }
        ExaminedChunk examined = ExaminedChunk.of(chunk, content, 0, length, chunkBytes, writer, writer::encode);
        hand(new Piece(chunk, chunk + 1, examined, length));
    }

    /** The chunk's bytes when this part was the last; null while others are to come. */
    private synchronized byte[] assemble(long chunk, int within, ByteBuffer part, int length) throws IOException {
        requireGoingOn();
        if (whole.get(Math.toIntExact(chunk))) {
            throw twice(chunk);
        }
        ChunkParts parts = incomplete.get(chunk);
        if (parts == null) {
            if ((incomplete.size() + 1L) * chunkBytes > INCOMPLETE) {
                throw new IOException("more parts of chunks arrive than can be kept: the sender does not go through the disk in order");
            }
            parts = new ChunkParts(chunkBytes, length);
            incomplete.put(chunk, parts);
        }
        if (!parts.add(within, part)) {
            throw twice(chunk);
        }
        if (!parts.areAll()) {
            return null;
        }
        incomplete.remove(chunk);
        complete(chunk, chunk + 1, length);
        return parts.content();
    }

    private synchronized void complete(long first, long end, long length) throws IOException {
        requireGoingOn();
        int from = Math.toIntExact(first);
        int done = whole.nextSetBit(from);
        if (done >= 0 && done < end) {
            throw twice(done);
        }
        for (long chunk = first; !incomplete.isEmpty() && chunk < end; chunk++) {
            if (incomplete.containsKey(chunk)) {
                throw twice(chunk);
            }
        }
        whole.set(from, Math.toIntExact(end));
        bytes += length;
    }

    private IOException twice(long chunk) {
        return new IOException("the bytes from " + chunk * chunkBytes + " on have come already: the sender must write each once");
    }

    private void hand(Piece piece) throws IOException {
        try {
            do {
                requireGoingOn();
            } while (!queue.offer(piece, LOOK_AGAIN_MILLIS, TimeUnit.MILLISECONDS));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted while a chunk waited to be stored", e);
        }
    }

    private void requireGoingOn() throws IOException {
        IOException reason = failure;
        if (reason != null) {
            throw new IOException("the capture has failed", reason);
        }
        if (ended) {
            throw new IOException("the capture has ended");
        }
    }

    /** Everything that has been written has been handed over; nothing more is taken. */
    void end() {
        ended = true;
    }

    /** From now on every write fails. */
    void fail(IOException reason) {
        failure = reason;
    }

    /** Waits for pieces, and adds them; false when there will be no more. */
    boolean take(List<Piece> batch, int atMost) throws IOException {
        try {
            while (true) {
                boolean last = ended; // before looking: what came before the end is in the queue
                Piece piece = queue.poll(LOOK_AGAIN_MILLIS, TimeUnit.MILLISECONDS);
                if (piece != null) {
                    batch.add(piece);
                    queue.drainTo(batch, atMost - 1);
                    return true;
                }
                if (last) {
                    return false;
                }
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted while a disk was received", e);
        }
    }

    /** How much of the disk has come. */
    synchronized long bytes() {
        return bytes;
    }

    /** Throws unless all has come that was to: a sender that keeps something back would make a point that is wrong. */
    synchronized void requireWhole(PushedDisk disk) throws IOException {
        long wanted = Math.ceilDiv(Math.min(disk.dirty().orElse(size), size), chunkBytes);
        if (!incomplete.isEmpty() || whole.cardinality() < wanted) {
            throw new IOException("of disk '" + disk.name() + "' only " + whole.cardinality() + " of " + wanted + " chunks have come"
                    + (incomplete.isEmpty() ? "" : ", and parts of " + incomplete.size() + " more"));
        }
    }

    @Override
    public void close() {}
}
