package io.afterimage.block;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.Semaphore;
import java.util.function.LongConsumer;

/**
 * Copies ranges from one device to another, several pieces at a time, zeros as zeros: what the source knows to be zero is not
 * read, and a piece that was read and holds nothing but zeros is not written. The first failure ends the copy.
 *
 * @param piece most bytes of one read; at least 1
 * @param parallel how many pieces are under way at a time; at least 1. The memory used is their product.
 */
public record BlockCopier(int piece, int parallel) {

    /** Pieces of a MiB, eight at a time. */
    public static final BlockCopier DEFAULT = new BlockCopier(1 << 20, 8);

    private static final int EXTENTS_AT_A_TIME = 1024;

    public BlockCopier {
        if (piece < 1 || parallel < 1) {
            throw new IllegalArgumentException("a copy has at least one piece of at least one byte");
        }
    }

    /** Copies all of {@code source} to the same place of {@code target}, which is at least as large, and flushes it. */
    public void copy(BlockDevice source, BlockDevice target, LongConsumer onCopied) throws IOException {
        copy(source, target, new ByteRange(0, source.size()), onCopied);
        target.flush();
    }

    /**
     * Copies one range to the same place; does not flush. When it throws, any part of the range may have been copied, and nothing is
     * written any more.
     *
     * @param onCopied told the number of bytes of each piece that is done, by several threads
     */
    public void copy(BlockDevice source, BlockDevice target, ByteRange range, LongConsumer onCopied) throws IOException {
        Semaphore free = new Semaphore(parallel);
        try (ExecutorService workers = Executors.newVirtualThreadPerTaskExecutor()) {
            Deque<Future<?>> underWay = new ArrayDeque<>();
            long position = range.offset();
            while (position < range.end()) {
                for (Extent extent : source.extents(ByteRange.between(position, range.end()), EXTENTS_AT_A_TIME)) {
                    position = submit(extent, source, target, onCopied, free, workers, underWay);
                }
            }
            for (Future<?> piece : underWay) {
                finish(piece);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new java.io.InterruptedIOException("the copy was interrupted");
        }
    }

    private long submit(
            Extent extent,
            BlockDevice source,
            BlockDevice target,
            LongConsumer onCopied,
            Semaphore free,
            ExecutorService workers,
            Deque<Future<?>> underWay)
            throws IOException, InterruptedException {
        ByteRange range = extent.range();
        long step = extent.kind().readsAsZeros() ? range.length() : piece;
        for (long at = range.offset(); at < range.end(); at += step) {
            ByteRange part = ByteRange.between(at, Math.min(range.end(), at + step));
            free.acquire();
            while (!underWay.isEmpty() && underWay.peek().isDone()) {
                finish(underWay.poll());
            }
            underWay.add(workers.submit(() -> {
                try {
                    copyPart(source, target, part, extent.kind());
                    onCopied.accept(part.length());
                    return null;
                } finally {
                    free.release();
                }
            }));
        }
        return range.end();
    }

    private static void copyPart(BlockDevice source, BlockDevice target, ByteRange part, Extent.Kind kind) throws IOException {
        if (kind.readsAsZeros()) {
            target.zero(part, kind == Extent.Kind.HOLE);
            return;
        }
        ByteBuffer bytes = ByteBuffer.allocate((int) part.length());
        source.read(part.offset(), bytes);
        if (isZero(bytes.flip())) {
            target.zero(part, true);
        } else {
            target.write(part.offset(), bytes);
        }
    }

    /** Whether all remaining bytes are zero. */
    public static boolean isZero(ByteBuffer bytes) {
        int count = bytes.remaining();
        // All are zero if the first is and each equals the one before it.
        return count == 0
                || (bytes.get(bytes.position()) == 0
                        && bytes.slice(bytes.position(), count - 1).mismatch(bytes.slice(bytes.position() + 1, count - 1)) < 0);
    }

    private static void finish(Future<?> piece) throws IOException, InterruptedException {
        try {
            piece.get();
        } catch (ExecutionException e) {
            throw e.getCause() instanceof IOException cause
                    ? new IOException(cause.getMessage(), cause)
                    : new IOException("the copy failed: " + e.getCause(), e.getCause());
        }
    }
}
