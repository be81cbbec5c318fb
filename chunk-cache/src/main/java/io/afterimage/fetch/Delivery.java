package io.afterimage.fetch;

import io.afterimage.chunk.ChunkAddress;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Duration;

/**
 * One read that waits for its chunks. Each is handed over as it lands, so that none is held in memory for a reader whose others are still on their way; after the end of the
 * wait, whatever it is, nothing is handed over any more.
 */
final class Delivery {

    private int missing;
    private IOException failure;
    private boolean over;

    Delivery(int chunks) {
        missing = chunks;
    }

    /** Hands a chunk over. */
    synchronized void take(Want want, ByteBuffer chunk) {
        if (!over) {
            want.taker().accept(chunk.asReadOnlyBuffer());
            missing--;
            notifyAll();
        }
    }

    /** One of the chunks will not come. */
    synchronized void fail(IOException reason) {
        if (failure == null) {
            failure = reason;
            notifyAll();
        }
    }

    /** Returns when all chunks have come. */
    synchronized void await(Duration patience, ChunkAddress first) throws IOException {
        long deadline = System.nanoTime() + patience.toNanos();
        try {
            while (missing > 0 && failure == null) {
                long left = deadline - System.nanoTime();
                if (left <= 0) {
                    throw new ReadTimeoutException(first, patience);
                }
                wait(left / 1_000_000, (int) (left % 1_000_000));
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted while chunk " + first + " was fetched", e);
        } finally {
            over = true;
        }
        if (failure != null) {
            // Another trace for each reader: the one who met the failure is not the one who is told.
            throw new IOException(failure.getMessage(), failure);
        }
    }
}
