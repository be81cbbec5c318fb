package io.afterimage.fetch;

import io.afterimage.cache.MemoryTier;
import io.afterimage.chunk.ChunkAddress;
import io.afterimage.chunk.ChunkSize;
import io.afterimage.chunk.CorruptChunkException;
import io.afterimage.repository.ChunkReader;
import io.afterimage.repository.FrameLocation;
import io.afterimage.repository.FrameRun;
import io.afterimage.repository.Repository;
import io.afterimage.store.ObjectNotFoundException;
import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.Semaphore;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Fetches, verifies and keeps chunks for all images of a repository. However many ask for a chunk at once, it is fetched once.
 * A chunk that is damaged, and was not moved, fails those who asked for it and nobody else. Thread-safe; blocks, so not for event loops.
 */
public final class ChunkFetcher implements Closeable {

    private static final Logger LOG = LoggerFactory.getLogger(ChunkFetcher.class);
    private static final int REQUESTS_AT_ONCE = 32;
    /** A boot profile has hundreds; they wait for their requests without a thread of the system. */
    private static final int HINTS_AT_ONCE = 10_000;

    private final ChunkReader reader;
    private final ChunkSize chunkSize;
    private final MemoryTier memory;
    private final Map<ChunkAddress, CompletableFuture<ByteBuffer>> flights = new ConcurrentHashMap<>();
    private final Semaphore requests = new Semaphore(REQUESTS_AT_ONCE);
    private final Semaphore hints = new Semaphore(HINTS_AT_ONCE);
    private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();

    public ChunkFetcher(Repository repository, MemoryTier memory) {
        reader = new ChunkReader(repository);
        this.memory = memory;
        chunkSize = repository.chunkSize();
    }

    /** The chunk if it is at hand, read-only; null when it must be fetched. Never blocks. */
    public ByteBuffer resident(ChunkAddress address) {
        return memory.get(address);
    }

    /**
     * Chunks by address, each read-only and the caller's own buffer. Waits for all of them.
     *
     * @throws CorruptChunkException if one of them is not what its address promises
     */
    public Map<ChunkAddress, ByteBuffer> fetch(List<ChunkAddress> wanted) throws IOException {
        Map<ChunkAddress, CompletableFuture<ByteBuffer>> awaited = start(wanted);
        Map<ChunkAddress, ByteBuffer> chunks = new LinkedHashMap<>();
        for (Map.Entry<ChunkAddress, CompletableFuture<ByteBuffer>> flight : awaited.entrySet()) {
            chunks.put(flight.getKey(), await(flight.getValue()).duplicate());
        }
        return chunks;
    }

    /** Begins to fetch chunks that somebody may soon want, unless many such hints are still being followed. Returns at once, tells of no failure. */
    public void prefetch(List<ChunkAddress> wanted) {
        if (hints.tryAcquire()) {
            threads.execute(() -> follow(wanted.stream().filter(address -> memory.get(address) == null).toList()));
        }
    }

    private void follow(List<ChunkAddress> hint) {
        try {
            fetch(hint);
        } catch (IOException _) {
            // Logged by whoever met it; the read that follows will say it to its client.
        } finally {
            hints.release();
        }
    }

    private Map<ChunkAddress, CompletableFuture<ByteBuffer>> start(List<ChunkAddress> wanted) {
        Map<ChunkAddress, CompletableFuture<ByteBuffer>> awaited = new LinkedHashMap<>();
        List<ChunkAddress> own = new ArrayList<>();
        for (ChunkAddress address : wanted) {
            awaited.computeIfAbsent(address, key -> {
                CompletableFuture<ByteBuffer> flight = new CompletableFuture<>();
                CompletableFuture<ByteBuffer> other = flights.putIfAbsent(key, flight);
                if (other != null) {
                    return other;
                }
                own.add(key);
                return flight;
            });
        }
        fly(own.stream().map(reader::locate).toList());
        return awaited;
    }

    private void fly(List<FrameLocation> frames) {
        for (FrameRun run : FrameRun.of(frames, chunkSize)) {
            try {
                threads.execute(() -> fly(run));
            } catch (RejectedExecutionException e) {
                run.frames().forEach(frame -> crash(frame.address(), e));
            }
        }
    }

    private void fly(FrameRun run) {
        Map<FrameLocation, Exception> missed = new LinkedHashMap<>();
        try {
            missed.putAll(land(run, request(run)));
        } catch (IOException | RuntimeException e) {
            if (run.frames().size() == 1 || e instanceof ObjectNotFoundException) {
                run.frames().forEach(frame -> missed.put(frame, e));
            } else {
                // The pack may be cut off behind the first of them: what is there shall be read.
                missed.putAll(landOneByOne(run));
            }
        }
        if (!missed.isEmpty()) {
            chase(missed);
        }
    }

    private byte[] request(FrameRun run) throws IOException {
        requests.acquireUninterruptibly();
        try {
            return reader.fetch(run);
        } finally {
            requests.release();
        }
    }

    private Map<FrameLocation, Exception> landOneByOne(FrameRun run) {
        Map<FrameLocation, Exception> missed = new LinkedHashMap<>();
        for (FrameLocation frame : run.frames()) {
            FrameRun alone = new FrameRun(List.of(frame));
            try {
                missed.putAll(land(alone, request(alone)));
            } catch (IOException | RuntimeException e) {
                missed.put(frame, e);
            }
        }
        return missed;
    }

    /** Tells the frames that are not whole, and why. */
    private Map<FrameLocation, Exception> land(FrameRun run, byte[] frames) {
        Map<FrameLocation, Exception> missed = new LinkedHashMap<>();
        for (FrameLocation frame : run.frames()) {
            try {
                byte[] chunk = new byte[chunkSize.bytes()];
                reader.decode(frames, run.offset(frame, chunkSize), frame, chunk);
                land(frame.address(), chunk);
            } catch (IOException e) {
                missed.put(frame, e);
            }
        }
        return missed;
    }

    private void land(ChunkAddress address, byte[] chunk) {
        ByteBuffer verified = ByteBuffer.wrap(chunk).asReadOnlyBuffer();
        memory.put(address, verified);
        CompletableFuture<ByteBuffer> flight = flights.remove(address);
        if (flight != null) {
            flight.complete(verified);
        }
    }

    /** What is not found at home is looked for, neighbours together, where it may have been moved; what is not there either, one by one. */
    private void chase(Map<FrameLocation, Exception> missed) {
        Map<ChunkAddress, Exception> lost = new LinkedHashMap<>();
        missed.forEach((frame, failure) -> lost.put(frame.address(), failure));
        try {
            List<ChunkAddress> atHome = new ArrayList<>();
            missed.forEach((frame, failure) -> {
                if (!frame.isHome()) {
                    threads.execute(() -> search(frame.address()));
                    lost.remove(frame.address());
                } else if (ChunkReader.isDamage(failure)) {
                    atHome.add(frame.address());
                }
            });
            List<FrameLocation> moved = reader.moved(atHome);
            moved.forEach(frame -> lost.remove(frame.address()));
            fly(moved);
        } catch (IOException | RuntimeException e) {
            LOG.warn("Where chunks were moved cannot be found out: {}", e.getMessage());
        }
        lost.forEach(this::crash);
    }

    private void search(ChunkAddress address) {
        requests.acquireUninterruptibly();
        try {
            byte[] chunk = new byte[chunkSize.bytes()];
            reader.read(address, chunk);
            land(address, chunk);
        } catch (IOException | RuntimeException e) {
            crash(address, e);
        } finally {
            requests.release();
        }
    }

    private void crash(ChunkAddress address, Exception failure) {
        LOG.error("Chunk {} cannot be read: {}", address, failure.getMessage());
        CompletableFuture<ByteBuffer> flight = flights.remove(address);
        if (flight != null) {
            flight.completeExceptionally(failure);
        }
    }

    private static ByteBuffer await(CompletableFuture<ByteBuffer> flight) throws IOException {
        try {
            return flight.get();
        } catch (ExecutionException e) {
            throw new IOException(e.getCause().getMessage(), e.getCause());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted while a chunk was fetched", e);
        }
    }

    @Override
    public void close() {
        threads.shutdownNow();
        threads.close();
    }
}
