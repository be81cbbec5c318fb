package io.afterimage.fetch;

import io.afterimage.cache.Guess;
import io.afterimage.chunk.ChunkAddress;
import java.io.Closeable;
import java.io.IOException;
import java.util.HashSet;
import java.util.Iterator;
import java.util.List;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * One image's way to its chunks. The lanes of a {@link ChunkFetcher} take turns, so that however much one asks for, the others wait no longer than for a request. Thread-safe.
 */
public final class Lane implements Closeable {

    private final ChunkFetcher fetcher;
    /** What is on its way because this lane would like to have it. Guarded by the fetcher's lock. */
    private final Set<Flight> wishes = new HashSet<>();

    private final AtomicInteger hintsUsed = new AtomicInteger();

    Lane(ChunkFetcher fetcher) {
        this.fetcher = fetcher;
    }

    Set<Flight> wishes() {
        return wishes;
    }

    /**
     * Waits until all these chunks have been handed to their takers.
     *
     * @param wants at least one
     * @param ahead chunks that will probably be read soon; those beside wanted ones come in the same requests
     * @param guess learns what becomes of those
     * @throws io.afterimage.chunk.CorruptChunkException as the cause, if one of the wanted is not what its address promises
     * @throws ReadTimeoutException if the store does not deliver in time
     */
    public void read(List<Want> wants, List<ChunkAddress> ahead, Guess guess) throws IOException {
        fetcher.read(this, wants, ahead, guess);
    }

    /** Begins to fetch chunks that will probably be read soon, as far as nobody waits for others. Returns at once, tells of no failure. */
    public void ahead(List<ChunkAddress> chunks, Guess guess) {
        fetcher.ahead(this, chunks, guess);
    }

    /**
     * Takes note of chunks that will be read some time, in the order in which they are handed over: fetched when neither a reader nor a stream has use for the store, and not while memory is
     * full of guesses that nobody has read. Returns at once, tells of no failure.
     *
     * @param chunks asked for more by any thread, under a lock: must be quick and must not block. Any number of them; those at hand cost nothing
     */
    public void hint(Iterator<ChunkAddress> chunks) {
        fetcher.hint(this, chunks);
    }

    /** A chunk that a hint has brought was read: there may be room for more. */
    void hintUsed() {
        if (hintsUsed.incrementAndGet() % Hints.REFILL_EVERY == 0) {
            fetcher.followHints();
        }
    }

    /** Whether guesses would soon have their turn; if not, there are enough of them. */
    public boolean hasRoomForGuesses() {
        return fetcher.hasRoomForGuesses();
    }

    /** Calls off what nobody waits for. Reads that wait go on. */
    @Override
    public void close() {
        fetcher.forget(this);
    }
}
