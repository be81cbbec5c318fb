package io.afterimage.cache;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import com.github.benmanes.caffeine.cache.RemovalCause;
import io.afterimage.chunk.ChunkAddress;
import io.afterimage.chunk.ChunkSize;
import java.nio.ByteBuffer;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.LongAdder;

/**
 * Decoded chunks in direct memory, bounded by bytes, shared by all images: points that share a chunk share its slot. Chunks are copied out, or lent: a lent
 * chunk's slot is not used again before it is given back, however long ago the chunk itself was evicted. Thread-safe; never blocks.
 *
 * <p>What was fetched on a guess waits in a queue of its own, at most a quarter of the tier, and is taken among the others when it is first read: in the main
 * cache, which prefers what was asked for often, the guesses of a busy tier would be gone before their turn.
 */
public final class MemoryTier {

    private static final int LEAST_SLOTS = 16;

    private final ChunkSize chunkSize;
    private final Slab slab;
    private final int mostLent;
    private final Cache<ChunkAddress, Resident> chunks;
    private final Arrivals arrivals;
    private final AtomicInteger lent = new AtomicInteger();
    private final LongAdder evicted = new LongAdder();

    /** A tier of at most {@code bytes}, or of {@value #LEAST_SLOTS} chunks if that is more. No memory is taken before it is needed. */
    public MemoryTier(long bytes, ChunkSize chunkSize) {
        this.chunkSize = chunkSize;
        int slots = Math.clamp(bytes / chunkSize.bytes(), LEAST_SLOTS, Integer.MAX_VALUE / 2);
        slab = new Slab(slots, chunkSize.bytes());
        mostLent = slots / 2;
        arrivals = new Arrivals(slots / 4);
        chunks = Caffeine.newBuilder()
                // One slot in sixteen is for what has been evicted and is still being sent.
                .maximumSize(slots - slots / 16)
                // In the thread that puts, so that a slot is free when put needs it.
                .executor(Runnable::run)
                .removalListener((ChunkAddress address, Resident chunk, RemovalCause cause) -> {
                    evicted.increment();
                    chunk.release();
                })
                .build();
    }

    /** Bytes of chunks that it may hold. */
    public long capacity() {
        return (long) slab.slots() * chunkSize.bytes();
    }

    /** Whether the chunk is here now; counts as no use of it. */
    public boolean contains(ChunkAddress address) {
        return arrivals.contains(address) || chunks.asMap().containsKey(address);
    }

    /** How many more guesses would push none out that nobody has read yet. */
    public int roomForGuesses() {
        return arrivals.room();
    }

    /**
     * Copies bytes {@code [from, from + count)} of the chunk to the target's position, and moves that.
     *
     * @return false, with the target as it was, if the chunk is not here
     */
    public boolean copy(ChunkAddress address, int from, int count, ByteBuffer target) {
        Resident chunk = hold(address);
        if (chunk == null) {
            return false;
        }
        try {
            target.put(target.position(), chunk.bytes(), from, count).position(target.position() + count);
            return true;
        } finally {
            chunk.release();
        }
    }

    /** A chunk that its borrower may read until it is given back, exactly once, by any thread. */
    public final class Loan {

        private final Resident chunk;

        private Loan(Resident chunk) {
            this.chunk = chunk;
        }

        /** A part of the chunk, in a direct buffer of the caller's own, which is not to be written to. */
        public ByteBuffer bytes(int from, int count) {
            return chunk.bytes().slice(from, count);
        }

        public void giveBack() {
            chunk.release();
            lent.decrementAndGet();
        }
    }

    /** Lends the chunk; null if it is not here, or if half of the tier is lent already. */
    public Loan lend(ChunkAddress address) {
        if (lent.incrementAndGet() <= mostLent) {
            Resident chunk = hold(address);
            if (chunk != null) {
                return new Loan(chunk);
            }
        }
        lent.decrementAndGet();
        return null;
    }

    private Resident hold(ChunkAddress address) {
        Resident chunk = chunks.policy().getIfPresentQuietly(address);
        if (chunk != null && chunk.isUseToCount()) {
            chunk = chunks.getIfPresent(address);
        }
        if (chunk == null) {
            chunk = arrivals.use(address);
            if (chunk == null) {
                // It may have moved from there to here between the two looks.
                chunk = chunks.getIfPresent(address);
                return chunk != null && chunk.hold() ? chunk : null;
            }
            // For the caller; the hold of the queue passes to the cache.
            chunk.hold();
            chunks.put(address, chunk);
            return chunk;
        }
        return chunk.hold() ? chunk : null;
    }

    /** Keeps a verified chunk that somebody has asked for. {@code chunk} is copied. */
    public void put(ChunkAddress address, byte[] chunk) {
        Resident resident = contains(address) ? null : copyOf(chunk);
        if (resident != null) {
            chunks.put(address, resident);
        }
    }

    /** Keeps a verified chunk that nobody has asked for yet. {@code chunk} is copied. */
    public void putAhead(ChunkAddress address, byte[] chunk, Guess guess) {
        Resident resident = contains(address) ? null : copyOf(chunk);
        if (resident != null) {
            arrivals.add(address, resident, guess);
        }
    }

    /** The chunk in a slot of its own; null when none can be had, since what is in them is being sent. */
    private Resident copyOf(byte[] chunk) {
        ByteBuffer slot = slab.take();
        for (int attempt = 0; slot == null && attempt < 4; attempt++) {
            makeRoom();
            slot = slab.take();
        }
        return slot == null ? null : new Resident(slot.put(0, chunk, 0, chunkSize.bytes()), slab);
    }

    private void makeRoom() {
        chunks.cleanUp();
        chunks.policy().eviction().orElseThrow().coldest(1).keySet().forEach(chunks::invalidate);
        if (chunks.asMap().isEmpty()) {
            arrivals.dropEldest();
        }
    }

    /** What it holds and has seen so far. */
    public MemoryStatistics statistics() {
        return new MemoryStatistics(
                capacity(), (chunks.estimatedSize() + arrivals.size()) * chunkSize.bytes(), lent.get(), evicted.sum(), arrivals.used(), arrivals.wasted());
    }
}
