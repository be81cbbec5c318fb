package io.afterimage.capture;

import io.afterimage.catalog.CaptureBytes;
import io.afterimage.chunk.ChunkSize;
import io.afterimage.manifest.BlockMapEditor;
import io.afterimage.repository.PointWriter;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;

/**
 * Receives one disk and stores what is new: the sender's threads hash and encode ({@link ReceivedDisk}), and the caller's alone
 * changes the map and fills packs. When this fails the sender is told by its next write, and is waited for: it must not go on in
 * the guest's machine unwatched.
 */
final class PushCapture {

    private static final int AT_ONCE = 256;

    private final PushedDisk disk;
    private final BlockMapEditor map;
    private final PointWriter writer;
    private final ReceivedDisk received;
    private final Progress progress;
    private CaptureBytes cost = CaptureBytes.NONE;

    PushCapture(PushedDisk disk, BlockMapEditor map, PointWriter writer, ChunkSize chunkSize, Progress progress) {
        this.disk = disk;
        this.map = map;
        this.writer = writer;
        this.progress = progress;
        received = new ReceivedDisk(disk.size(), chunkSize, writer);
    }

    CaptureBytes run() throws IOException {
        var sending = new FutureTask<>((Callable<Void>) () -> {
            try {
                disk.sender().send(received);
                return null;
            } finally {
                received.end();
            }
        });
        Thread.ofVirtual().name("push-of-" + disk.name()).start(sending);
        IOException failure = null;
        List<ReceivedDisk.Piece> batch = new ArrayList<>();
        while (received.take(batch, AT_ONCE)) {
            try {
                if (failure == null) {
                    store(batch);
                }
            } catch (IOException | RuntimeException e) {
                failure = e instanceof IOException known ? known : new IOException("disk '" + disk.name() + "' could not be stored", e);
                received.fail(failure);
            }
            batch.clear();
        }
        if (failure == null) {
            failure = outcome(sending);
        }
        if (failure != null) {
            throw failure;
        }
        received.requireWhole(disk);
        return cost.plus(new CaptureBytes(received.bytes(), 0, 0, 0, 0));
    }

    /** What arrives together is put in the order of the disk, in which maps and packs want it. */
    private void store(List<ReceivedDisk.Piece> batch) throws IOException {
        batch.sort(ReceivedDisk.Piece.ORDER);
        for (ReceivedDisk.Piece piece : batch) {
            if (piece.zeros()) {
                map.putZeros(piece.first(), piece.end());
            } else {
                cost = cost.plus(piece.chunk().take(map, writer));
            }
            progress.advance(piece.bytes());
        }
    }

    private IOException outcome(FutureTask<Void> sending) {
        try {
            sending.get();
            return null;
        } catch (ExecutionException e) {
            return e.getCause() instanceof IOException known ? known : new IOException("disk '" + disk.name() + "' could not be received", e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return new IOException("interrupted while disk '" + disk.name() + "' was received", e);
        }
    }
}
