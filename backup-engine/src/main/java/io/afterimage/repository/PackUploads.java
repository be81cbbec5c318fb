package io.afterimage.repository;

import io.afterimage.chunk.PackId;
import io.afterimage.index.ChunkIndex;
import io.afterimage.pack.PackBuilder;
import io.afterimage.pack.PackEntry;
import io.afterimage.pack.PackMemory;
import io.afterimage.pack.PackObjects;
import io.afterimage.store.ObjectKey;
import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;

/**
 * Puts finished packs into the store, several at a time, so that a backup does not wait for the way there and back; whoever
 * brings more than {@value #AT_ONCE} waits, which bounds the memory. The first failure is told to whoever calls next.
 */
final class PackUploads implements Closeable {

    private static final int AT_ONCE = 6;

    private final Put put;
    private final ChunkIndex index;
    private final Consumer<List<PackEntry>> stored;
    private final PackMemory memory = new PackMemory();
    private final Semaphore places = new Semaphore(AT_ONCE);
    private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
    private final AtomicReference<Throwable> failure = new AtomicReference<>();
    private final AtomicLong bytes = new AtomicLong();
    private final Set<PackId> packs = ConcurrentHashMap.newKeySet();

    /** Stores an object whole; called by any thread. */
    @FunctionalInterface
    interface Put {
        void put(ObjectKey key, ByteBuffer content) throws IOException;
    }

    /** @param stored told the chunks of each pack that the store has, by any thread */
    PackUploads(Put put, ChunkIndex index, Consumer<List<PackEntry>> stored) {
        this.put = put;
        this.index = index;
        this.stored = stored;
    }

    /** What packs are to be gathered in that are put here, as long as this is open. */
    PackMemory memory() {
        return memory;
    }

    /** Waits for a place, and uploads in the background. */
    void put(PackBuilder pack) throws IOException {
        List<PackEntry> entries = pack.entries();
        PackId id = pack.id();
        ByteBuffer content = pack.finish();
        acquire(1);
        threads.execute(() -> {
            try {
                put.put(PackObjects.key(id), content);
                packs.add(id);
                bytes.addAndGet(content.remaining());
                index.add(id, entries);
                stored.accept(entries);
                memory.giveBack(content);
            } catch (Throwable e) {
                // An Error like any other: a point would be committed that names a pack which is not there.
                failure.compareAndSet(null, e);
            } finally {
                places.release();
            }
        });
        check();
    }

    /** Returns when all packs are stored. */
    void await() throws IOException {
        acquire(AT_ONCE);
        places.release(AT_ONCE);
        check();
    }

    /** The bytes of the packs stored so far. */
    long bytes() {
        return bytes.get();
    }

    /** The packs stored so far. */
    Set<PackId> stored() {
        return Set.copyOf(packs);
    }

    private void acquire(int count) throws IOException {
        try {
            places.acquire(count);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted while packs were stored", e);
        }
    }

    private void check() throws IOException {
        switch (failure.get()) {
            case null -> {}
            case IOException e -> throw e;
            case Error e -> throw e;
            case Throwable e -> throw new IOException("a pack could not be stored", e);
        }
    }

    @Override
    public void close() {
        threads.shutdownNow();
        threads.close();
        memory.close();
    }
}
