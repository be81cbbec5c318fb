package io.afterimage.capture;

import io.afterimage.block.ByteRange;
import io.afterimage.catalog.CaptureBytes;
import io.afterimage.chunk.ChunkSize;
import io.afterimage.manifest.BlockMapEditor;
import io.afterimage.repository.PointWriter;
import java.io.IOException;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;

/**
 * Reads one disk and stores what is new, as a bounded pipeline: batches of neighbouring chunks are read, hashed, looked up and
 * compressed by a few threads, and taken up in the order of the disk by the caller's, who alone changes the map and fills packs.
 */
final class DiskCapture {

    /** Bytes of a batch: a request large enough to be worth its way, small enough to keep the threads evenly busy. */
    private static final int BATCH = 1024 * 1024;

    private static final int THREADS = Math.max(4, 2 * Runtime.getRuntime().availableProcessors());

    /** Batches in flight: what the pipeline holds in memory, beside packs. */
    private static final int WINDOW = 3 * THREADS;

    private final SourceDisk disk;
    private final List<ByteRange> damaged;
    private final BlockMapEditor map;
    private final PointWriter writer;
    private final ChunkSize chunkSize;
    private final Progress progress;
    private final Queue<Future<Batch>> window = new ArrayDeque<>();
    private final Deque<Batch> idle = new ArrayDeque<>();
    private CaptureBytes cost = CaptureBytes.NONE;

    /** @param damaged what the map inherits, and what cannot be read there: read again, changed or not */
    DiskCapture(
            SourceDisk disk,
            List<ByteRange> damaged,
            BlockMapEditor map,
            PointWriter writer,
            ChunkSize chunkSize,
            Progress progress) {
        this.disk = disk;
        this.damaged = damaged;
        this.map = map;
        this.writer = writer;
        this.chunkSize = chunkSize;
        this.progress = progress;
    }

    CaptureBytes run() throws IOException {
        List<ByteRange> dirty = disk.changed().orElseGet(() -> List.of(new ByteRange(0, disk.device().size())));
        Survey survey = new Survey(disk.device(), chunkSize, toRead(dirty));
        ExecutorService threads = Executors.newFixedThreadPool(THREADS, Thread.ofPlatform().name("capture-", 0).factory());
        try {
            while (survey.hasNext()) {
                ChunkRange range = survey.next();
                if (range.zeros()) {
                    drain(0);
                    map.putZeros(range.first(), range.end());
                    progress.advance((range.end() - range.first()) * chunkSize.bytes());
                } else {
                    submit(range, threads);
                }
            }
            drain(0);
        } finally {
            threads.shutdownNow();
            threads.close();
        }
        return cost.plus(new CaptureBytes(dirty.stream().mapToLong(ByteRange::length).sum(), 0, 0, 0, 0));
    }

    private List<ByteRange> toRead(List<ByteRange> dirty) {
        ByteRange whole = new ByteRange(0, disk.device().size());
        return ByteRange.union(Stream.concat(dirty.stream(), damaged.stream()).map(whole::intersect).toList());
    }

    private void submit(ChunkRange range, ExecutorService threads) throws IOException {
        long first = range.first();
        while (first < range.end()) {
            drain(WINDOW - 1);
            long from = first;
            int count = (int) Math.min(batch(), range.end() - from);
            first += count;
            Batch next = idle.isEmpty() ? new Batch(chunkSize, writer) : idle.pop();
            window.add(threads.submit(() -> next.read(disk.device(), disk.pace(), from, count)));
        }
    }

    /** How many chunks the next one has. */
    private int batch() {
        return Math.max(1, disk.pace().piece(BATCH) / chunkSize.bytes());
    }

    /** Takes up the eldest batches until at most {@code left} are in flight. */
    private void drain(int left) throws IOException {
        while (window.size() > left) {
            try {
                Batch eldest = window.remove().get();
                for (ExaminedChunk chunk : eldest.chunks()) {
                    take(chunk);
                }
                idle.push(eldest);
            } catch (ExecutionException e) {
                throw e.getCause() instanceof IOException failure ? failure : new IOException("a chunk could not be read", e);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new IOException("interrupted while disk '" + disk.name() + "' was read", e);
            }
        }
    }

    private void take(ExaminedChunk chunk) throws IOException {
        cost = cost.plus(chunk.take(map, writer));
        progress.advance(chunkSize.bytes());
    }
}
