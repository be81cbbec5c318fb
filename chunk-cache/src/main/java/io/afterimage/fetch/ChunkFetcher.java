package io.afterimage.fetch;

import io.afterimage.cache.DiskTier;
import io.afterimage.cache.Guess;
import io.afterimage.cache.MemoryTier;
import io.afterimage.chunk.ChunkAddress;
import io.afterimage.chunk.ChunkSize;
import io.afterimage.chunk.CorruptChunkException;
import io.afterimage.repository.ChunkReader;
import io.afterimage.repository.FrameLocation;
import io.afterimage.repository.FrameRun;
import io.afterimage.repository.Repository;
import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.locks.ReentrantLock;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Fetches, verifies and keeps chunks for all images of a repository. However many ask for a chunk at once, it is fetched once.
 * A chunk that is damaged, and was not moved, fails those who asked for it and nobody else. Thread-safe.
 *
 * <p>Every chunk that is wanted and not in memory is a {@link Flight}. It waits in a {@link FlightQueue} until a request may begin, which takes its neighbours in the pack along.
 * As long as somebody waits, what is only guessed does not begin; guesses and hints never take up all requests, so that one who comes to wait finds one free. A flight that
 * nobody wants any more is taken out of the queue, or its request broken off.
 *
 * <p>One lock guards flights and queues. Under it nothing blocks; requests, decoding and deliveries happen outside, each run on a virtual thread of its own.
 */
public final class ChunkFetcher implements Closeable {

    private static final Logger LOG = LoggerFactory.getLogger(ChunkFetcher.class);

    /** Reads of the disk at once. */
    private static final int DISK_READS = 8;

    private final MemoryTier memory;
    private final Optional<DiskTier> disk;
    private final FetchSettings settings;
    private final ChunkSize chunkSize;
    private final StoreRuns store;
    private final FrameBuffers buffers;
    private final FetchCounters counters = new FetchCounters();
    private final ExecutorService threads = Executors.newThreadPerTaskExecutor(Thread.ofVirtual().name("fetch-", 0).factory());

    private final ReentrantLock lock = new ReentrantLock();
    private final FlightBoard board;
    private int diskReads;
    private int requests;
    private int inBackground;
    private long bytesInFlight;
    private boolean closed;

    /** @param disk what is looked at before the store is asked; closed by who opened it, after this */
    public ChunkFetcher(Repository repository, MemoryTier memory, Optional<DiskTier> disk, FetchSettings settings) {
        this.memory = memory;
        this.disk = disk;
        this.settings = settings;
        chunkSize = repository.chunkSize();
        buffers = new FrameBuffers(settings.bytesInFlight());
        store = new StoreRuns(new ChunkReader(repository), chunkSize);
        board = new FlightBoard(memory, disk, chunkSize, store::locate);
    }

    /** The chunks at hand. */
    public MemoryTier memory() {
        return memory;
    }

    /** A lane for one image. */
    public Lane lane() {
        return new Lane(this);
    }

    /** What was done so far. */
    public FetchStatistics statistics() {
        lock.lock();
        try {
            return counters.statistics(board.flights().size());
        } finally {
            lock.unlock();
        }
    }

    /**
     * Waits for chunks.
     *
     * @param ahead what the same requests may bring along, or requests of their own later
     * @throws CorruptChunkException as the cause, if one of them is not what its address promises
     */
    void read(Lane lane, List<Want> wants, List<ChunkAddress> ahead, Guess guess) throws IOException {
        Delivery delivery = new Delivery(wants.size());
        List<Flight> awaited = new ArrayList<>(wants.size());
        List<Want> atHand = new ArrayList<>();
        lock.lock();
        try {
            requireOpen();
            for (Want want : wants) {
                if (board.isAtHand(want.address())) {
                    atHand.add(want);
                } else {
                    awaited.add(demand(lane, delivery, want));
                }
            }
            board.wish(lane, ahead, guess, Priority.READ_AHEAD);
            pump();
        } finally {
            lock.unlock();
        }
        boolean stuck = false;
        try {
            for (Want want : atHand) {
                takeFromMemory(lane, delivery, want, awaited);
            }
            delivery.await(settings.readTimeout(), wants.getFirst().address());
        } catch (ReadTimeoutException e) {
            stuck = true;
            throw e;
        } finally {
            leave(delivery, awaited, stuck);
        }
    }

    private Flight demand(Lane lane, Delivery delivery, Want want) {
        counters.demanded();
        return board.demand(lane, delivery, want);
    }

    /** What was in memory a moment ago and has gone since is fetched after all. */
    private void takeFromMemory(Lane lane, Delivery delivery, Want want, List<Flight> awaited) {
        ByteBuffer chunk = ByteBuffer.allocate(chunkSize.bytes());
        if (memory.copy(want.address(), 0, chunk.capacity(), chunk)) {
            delivery.take(want, chunk.flip());
            return;
        }
        lock.lock();
        try {
            awaited.add(demand(lane, delivery, want));
            pump();
        } finally {
            lock.unlock();
        }
    }

    private void leave(Delivery delivery, List<Flight> awaited, boolean stuck) {
        lock.lock();
        try {
            awaited.forEach(flight -> board.leave(delivery, flight, stuck));
            pump();
        } finally {
            lock.unlock();
        }
    }

    /** Begins to fetch chunks that somebody may soon want. Returns at once, tells of no failure. */
    void ahead(Lane lane, List<ChunkAddress> chunks, Guess guess) {
        lock.lock();
        try {
            if (!closed) {
                board.wish(lane, chunks, guess, Priority.READ_AHEAD);
                pump();
            }
        } finally {
            lock.unlock();
        }
    }

    void hint(Lane lane, Iterator<ChunkAddress> hint) {
        lock.lock();
        try {
            if (!closed) {
                board.hints().add(lane, hint);
                pump();
            }
        } finally {
            lock.unlock();
        }
    }

    void followHints() {
        lock.lock();
        try {
            pump();
        } finally {
            lock.unlock();
        }
    }

    /** Whether another guess would begin soon. */
    boolean hasRoomForGuesses() {
        lock.lock();
        try {
            return !closed && board.hasRoomForGuesses();
        } finally {
            lock.unlock();
        }
    }

    /** Calls off all that only this lane would like to have. */
    void forget(Lane lane) {
        lock.lock();
        try {
            board.forget(lane);
            pump();
        } finally {
            lock.unlock();
        }
    }

    /** Begins all that may begin now. */
    private void pump() {
        if (!closed) {
            board.followHints();
        }
        FlightQueue forDisk = board.forDisk();
        while (!closed && diskReads < DISK_READS && !forDisk.isEmpty()) {
            beginOnDisk(forDisk.nextAlone(forDisk.first()));
        }
        for (Priority next = next(); next != null; next = next()) {
            begin(new Run(board.forStore().next(next), next != Priority.DEMAND));
        }
    }

    /** What the next request is for; null if none may begin. */
    private Priority next() {
        Priority first = board.forStore().first();
        boolean background = first != Priority.DEMAND;
        boolean may = first != null
                && !closed
                && requests < settings.requests()
                && bytesInFlight < (background ? settings.bytesInFlight() * 3 / 4 : settings.bytesInFlight())
                && (!background || inBackground < settings.background());
        return may ? first : null;
    }

    private void beginOnDisk(Flight flight) {
        diskReads++;
        Run run = new Run(List.of(flight), !flight.isDemanded());
        threads.execute(() -> readFromDisk(run, flight));
    }

    private void readFromDisk(Run run, Flight flight) {
        boolean landed = false;
        try {
            landed = landFromDisk(run, flight.frame());
        } finally {
            lock.lock();
            try {
                diskReads--;
                if (!landed) {
                    board.goToStore(flight);
                }
                pump();
            } finally {
                lock.unlock();
            }
        }
    }

    /** False if the frame is not there, or not whole. */
    private boolean landFromDisk(Run run, FrameLocation frame) {
        byte[] bytes = disk.orElseThrow().read(frame.place(), frame.place().byteLength(chunkSize));
        if (bytes == null) {
            return false;
        }
        byte[] chunk = new byte[chunkSize.bytes()];
        try {
            store.decode(bytes, frame, chunk);
        } catch (IOException | RuntimeException e) {
            LOG.debug("A cached frame is not whole", e);
            disk.orElseThrow().forget(frame.place());
            return false;
        }
        new Landing(run).landed(frame, chunk, null, 0);
        return true;
    }

    private void begin(Run run) {
        FrameRun frames = new FrameRun(run.frames());
        int length = frames.length(chunkSize);
        long bytes = FrameBuffers.room(length);
        requests++;
        inBackground += run.isBackground() ? 1 : 0;
        bytesInFlight += bytes;
        threads.execute(() -> fly(run, frames, length, bytes));
    }

    private void fly(Run run, FrameRun frames, int length, long bytes) {
        Landing landing = new Landing(run);
        try {
            byte[] fetched = buffers.take(length);
            try {
                request(run, frames, fetched);
            } catch (IOException | RuntimeException e) {
                store.recover(frames, e, landing);
                return;
            }
            store.land(frames, fetched, landing);
            buffers.giveBack(fetched);
        } catch (RuntimeException | Error e) {
            // A defect, or no memory: better an error for those who wait than none for ever.
            LOG.error("A request for {} chunks of pack {} was lost", run.flights().size(), frames.first().pack(), e);
            landing.crashAll(e);
            throw e;
        } finally {
            lock.lock();
            try {
                bytesInFlight -= bytes;
                pump();
            } finally {
                lock.unlock();
            }
        }
    }

    /** Takes one of the places for requests only as long as the store is asked. */
    private void request(Run run, FrameRun frames, byte[] target) throws IOException {
        lock.lock();
        try {
            run.requesting(Thread.currentThread());
            run.cancelIfUnwanted();
        } finally {
            lock.unlock();
        }
        try {
            store.request(frames, target);
            counters.fetched(run.isBackground(), frames.length(chunkSize));
        } finally {
            lock.lock();
            try {
                run.requesting(null);
                requests--;
                inBackground -= run.isBackground() ? 1 : 0;
                pump();
            } finally {
                lock.unlock();
            }
        }
    }

    /** What becomes of the flights of a run. */
    private final class Landing implements StoreRuns.Receiver {

        private final Map<ChunkAddress, Flight> flying = new HashMap<>();

        Landing(Run run) {
            run.flights().forEach(flight -> flying.put(flight.address(), flight));
        }

        @Override
        public void landed(FrameLocation frame, byte[] chunk, byte[] frames, int offset) {
            Flight flight = flying.remove(frame.address());
            Guess guess;
            lock.lock();
            try {
                guess = flight.guess();
            } finally {
                lock.unlock();
            }
            // Before the flight ends: whoever finds no flight finds the chunk.
            if (guess == null) {
                memory.put(frame.address(), chunk);
            } else {
                memory.putAhead(frame.address(), chunk, guess);
            }
            ByteBuffer bytes = ByteBuffer.wrap(chunk, 0, chunkSize.bytes());
            arrive(flight).forEach((delivery, wants) -> wants.forEach(want -> delivery.take(want, bytes)));
            if (disk.isPresent() && frames != null) {
                disk.get().put(frame.place(), frames, offset, frame.place().byteLength(chunkSize));
            }
        }

        @Override
        public boolean isAwaited(ChunkAddress address) {
            lock.lock();
            try {
                return flying.get(address).isDemanded();
            } finally {
                lock.unlock();
            }
        }

        @Override
        public void crashed(ChunkAddress address, Exception failure) {
            Map<Delivery, List<Want>> waiting = arrive(flying.remove(address));
            if (!waiting.isEmpty()) {
                LOG.error("Chunk {} cannot be read: {}", address, failure.getMessage());
            } else {
                LOG.debug("Chunk {}, which nobody waits for, cannot be read: {}", address, failure.getMessage());
            }
            IOException reason = failure instanceof IOException known ? known : new IOException(failure.toString(), failure);
            waiting.keySet().forEach(delivery -> delivery.fail(reason));
        }

        void crashAll(Throwable defect) {
            List.copyOf(flying.keySet()).forEach(address -> crashed(address, new IOException(defect.toString(), defect)));
        }

        private Map<Delivery, List<Want>> arrive(Flight flight) {
            lock.lock();
            try {
                return board.end(flight);
            } finally {
                lock.unlock();
            }
        }
    }

    private void requireOpen() throws IOException {
        if (closed) {
            throw new IOException("the image library is closed");
        }
    }

    @Override
    public void close() {
        lock.lock();
        try {
            closed = true;
        } finally {
            lock.unlock();
        }
        threads.shutdownNow();
        threads.close();
        lock.lock();
        try {
            // What has not begun never will.
            for (Flight flight : List.copyOf(board.flights())) {
                board.end(flight).keySet().forEach(delivery -> delivery.fail(new IOException("the image library was closed")));
            }
        } finally {
            lock.unlock();
        }
    }
}
