package io.afterimage.fetch;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.afterimage.cache.Guess;
import io.afterimage.cache.MemoryTier;
import io.afterimage.chunk.ChunkAddress;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Who is served when, and what the store is asked for. The store stands still while the queue is filled, so that the order does not hang on luck. */
@Timeout(60)
final class ChunkFetcherTest {

    private static final int PACKS = 40;
    private static final int CHUNKS = 200;

    private final StoredChunks stored;
    private final StallingStore store;
    private final ExecutorService readers = Executors.newVirtualThreadPerTaskExecutor();
    private ChunkFetcher fetcher;
    private int begun;

    ChunkFetcherTest() throws IOException {
        stored = new StoredChunks(PACKS, CHUNKS);
        store = stored.store();
        use(FetchSettings.DEFAULT);
    }

    private void use(FetchSettings settings) {
        fetcher = new ChunkFetcher(stored.repository(), new MemoryTier(4 << 20, StoredChunks.SIZE), Optional.empty(), settings);
    }

    @AfterEach
    void close() {
        store.resume();
        fetcher.close();
        readers.shutdownNow();
        readers.close();
    }

    private void read(Lane lane, List<ChunkAddress> along, int pack, int... chunks) throws IOException {
        byte[][] got = new byte[chunks.length][StoredChunks.SIZE.bytes()];
        List<Want> wants = new ArrayList<>();
        for (int i = 0; i < chunks.length; i++) {
            byte[] target = got[i];
            wants.add(new Want(stored.address(pack, chunks[i]), bytes -> bytes.get(0, target)));
        }
        lane.read(wants, along, Guess.UNWATCHED);
        for (int i = 0; i < chunks.length; i++) {
            assertArrayEquals(stored.chunk(pack, chunks[i]), got[i]);
        }
    }

    /** Begins a read elsewhere and returns when the fetcher knows of it. */
    private Future<?> begin(Lane lane, int pack, int... chunks) throws InterruptedException {
        Future<?> read = readers.submit(() -> {
            read(lane, List.of(), pack, chunks);
            return null;
        });
        begun += chunks.length;
        awaitDemanded(begun);
        return read;
    }

    private void awaitDemanded(long count) {
        while (fetcher.statistics().demanded() < count) {
            Thread.onSpinWait();
        }
    }

    private List<ChunkAddress> chunks(int pack, int from, int to) {
        return IntStream.range(from, to).mapToObj(i -> stored.address(pack, i)).toList();
    }

    private List<Long> packsAsked() {
        return store.asked().stream().map(range -> range.pack().high()).toList();
    }

    @Test
    void howeverManyWaitForAChunkItIsFetchedOnce() throws Exception {
        store.stall();
        Lane lane = fetcher.lane();
        Lane other = fetcher.lane();
        List<Future<?>> reads = new ArrayList<>();
        for (int i = 0; i < 100; i++) {
            reads.add(begin(i % 2 == 0 ? lane : other, 3, 50));
        }
        store.resume();
        for (Future<?> read : reads) {
            read.get();
        }
        read(lane, List.of(), 3, 50);
        assertEquals(1, store.asked().size());
    }

    @Test
    void neighboursThatWaitComeInOneRequestWhoeverWantsThem() throws Exception {
        use(FetchSettings.DEFAULT.withRequests(1, 0));
        store.stall();
        List<Future<?>> reads = new ArrayList<>(List.of(begin(fetcher.lane(), 0, 0)));
        for (int chunk = 20; chunk > 10; chunk--) {
            reads.add(begin(fetcher.lane(), 1, chunk));
        }
        store.resume();
        for (Future<?> read : reads) {
            read.get();
        }
        assertEquals(2, store.asked().size());
        assertEquals(stored.address(1, 11).byteOffset(StoredChunks.SIZE), store.asked().get(1).offset());
    }

    @Test
    void whatComesAlongCostsNoRequestAndIsThereThen() throws Exception {
        Lane lane = fetcher.lane();
        read(lane, chunks(2, 11, 30), 2, 10);
        read(lane, List.of(), 2, 12);
        read(lane, List.of(), 2, 29);
        assertEquals(1, store.asked().size());
    }

    @Test
    void readersGoBeforeStreamsAndStreamsBeforeHints() throws Exception {
        use(FetchSettings.DEFAULT.withRequests(2, 1));
        store.stall();
        Lane lane = fetcher.lane();
        lane.hint(chunks(1, 0, 10).iterator());
        store.awaitWaiting(1);
        lane.hint(chunks(2, 0, 10).iterator());
        lane.ahead(chunks(3, 0, 10), Guess.UNWATCHED);
        Future<?> first = begin(lane, 4, 0);
        Future<?> second = begin(lane, 5, 0);
        store.awaitAsked(2);
        store.permit(1);
        store.awaitAsked(3);
        store.resume();
        first.get();
        second.get();
        List<StallingStore.Range> asked = store.awaitAsked(5);
        assertEquals(List.of(1L, 4L), packsAsked().subList(0, 2), "a hint begins where nobody waits, and leaves room for those who do");
        assertEquals(5L, packsAsked().get(2));
        assertEquals(List.of(3L, 2L), packsAsked().subList(3, 5));
        assertEquals(5, asked.size());
    }

    @Test
    void guessesNeverTakeUpAllRequests() throws Exception {
        use(FetchSettings.DEFAULT.withRequests(4, 2));
        store.stall();
        Lane lane = fetcher.lane();
        for (int pack = 0; pack < 20; pack++) {
            lane.ahead(chunks(pack, 0, 1), Guess.UNWATCHED);
            lane.hint(chunks(pack, 100, 101).iterator());
        }
        store.awaitWaiting(2);
        Future<?> read = begin(fetcher.lane(), 30, 0);
        store.awaitWaiting(3);
        assertEquals(30L, packsAsked().getLast());
        store.resume();
        read.get();
    }

    @Test
    void oneImagesFloodDoesNotStarveAnother() throws Exception {
        use(FetchSettings.DEFAULT.withRequests(1, 0));
        store.stall();
        Lane flood = fetcher.lane();
        List<Future<?>> reads = new ArrayList<>();
        for (int pack = 0; pack < 30; pack++) {
            reads.add(begin(flood, pack, 0));
        }
        reads.add(begin(fetcher.lane(), 30, 0));
        reads.add(begin(fetcher.lane(), 31, 0));
        // One that another waits for as well comes when the first of them has his turn.
        reads.add(begin(fetcher.lane(), 29, 0));
        store.resume();
        for (Future<?> read : reads) {
            read.get();
        }
        assertEquals(0L, packsAsked().getFirst());
        assertTrue(packsAsked().subList(1, 5).containsAll(List.of(30L, 31L, 29L)), packsAsked().toString());
    }

    @Test
    void whatNobodyWaitsForAnyMoreIsNotBegun() throws Exception {
        use(FetchSettings.DEFAULT.withRequests(1, 0));
        store.stall();
        Lane lane = fetcher.lane();
        Future<?> first = begin(lane, 0, 0);
        Future<?> gone = begin(lane, 1, 0);
        Future<?> stays = begin(lane, 2, 0);
        gone.cancel(true);
        awaitFlights(2);
        store.resume();
        first.get();
        stays.get();
        assertEquals(List.of(0L, 2L), packsAsked());
    }

    private void awaitFlights(int count) {
        while (fetcher.statistics().underWay() != count) {
            Thread.onSpinWait();
        }
    }

    @Test
    void aClosedImagesGuessesAreCalledOff() throws Exception {
        use(FetchSettings.DEFAULT.withRequests(2, 1));
        store.stall();
        Lane closed = fetcher.lane();
        Lane other = fetcher.lane();
        closed.ahead(chunks(0, 0, 5), Guess.UNWATCHED);
        store.awaitWaiting(1);
        closed.ahead(chunks(1, 0, 5), Guess.UNWATCHED);
        closed.hint(chunks(2, 0, 5).iterator());
        closed.ahead(chunks(3, 0, 5), Guess.UNWATCHED);
        other.ahead(chunks(3, 0, 5), Guess.UNWATCHED);
        closed.close();
        // The request that had begun is broken off, and makes room for the one that another wants.
        store.awaitAsked(2);
        assertEquals(List.of(0L, 3L), packsAsked());
        store.resume();
        awaitFlights(0);
        assertEquals(2, store.asked().size());
    }

    @Test
    void aStalledStoreFailsTheReadInTimeAndServesTheNext() throws Exception {
        use(FetchSettings.DEFAULT.withReadTimeout(Duration.ofSeconds(1)).withRequests(2, 1));
        Lane lane = fetcher.lane();
        read(lane, List.of(), 0, 0);
        store.stall();
        for (int i = 0; i < 4; i++) {
            int pack = 1 + i;
            IOException failure = assertThrows(ReadTimeoutException.class, () -> read(lane, chunks(pack, 1, 9), pack, 0));
            assertTrue(failure.getMessage().contains("--read-timeout"), failure.getMessage());
            read(lane, List.of(), 0, 0);
        }
        // Requests that nobody waits for are broken off: they would keep others from beginning.
        awaitFlights(0);
        store.awaitWaiting(0);
        store.resume();
        read(lane, List.of(), 1, 0, 1, 2);
    }

    @Test
    void aReaderIsNotHeldUpForEverByAGuessThatIsStuck() throws Exception {
        use(FetchSettings.DEFAULT.withReadTimeout(Duration.ofSeconds(1)));
        store.stall();
        Lane lane = fetcher.lane();
        lane.ahead(chunks(1, 0, 5), Guess.UNWATCHED);
        store.awaitWaiting(1);
        assertThrows(ReadTimeoutException.class, () -> read(lane, List.of(), 1, 2));
        store.resume();
        read(lane, List.of(), 1, 2);
    }

    @Test
    void aStoreThatIsAwayFailsReadsAndWorksWhenItIsBack() throws Exception {
        store.away(true);
        Lane lane = fetcher.lane();
        Future<?> read = begin(lane, 1, 1, 2, 3);
        IOException failure = assertInstanceOf(IOException.class, assertThrows(ExecutionException.class, read::get).getCause());
        assertTrue(failure.getMessage().contains("cannot be reached"), failure.getMessage());
        lane.ahead(chunks(2, 0, 5), Guess.UNWATCHED);
        awaitFlights(0);
        store.away(false);
        read(lane, List.of(), 1, 1, 2, 3);
        read(lane, List.of(), 2, 4);
    }

    @Test
    void hintsAreFollowedInTheirOrderAndComeTogetherWhereTheyLieTogether() throws Exception {
        use(FetchSettings.DEFAULT.withRequests(2, 1));
        // Held up at its first request, the lane has all the hints before it follows any of the rest.
        store.stall();
        Lane lane = fetcher.lane();
        for (int i = 0; i < 100; i++) {
            lane.hint(chunks(1, i, i + 1).iterator());
        }
        for (int pack = 2; pack < PACKS; pack++) {
            lane.hint(chunks(pack, 0, 3).iterator());
        }
        store.awaitWaiting(1);
        store.resume();
        awaitFlights(0);
        for (int i = 0; i < 100; i++) {
            read(lane, List.of(), 1, i);
        }
        List<Long> order = packsAsked().stream().distinct().toList();
        assertEquals(order.stream().sorted().toList(), order);
        assertTrue(packsAsked().stream().filter(pack -> pack == 1).count() < 20, packsAsked().toString());
        assertEquals(PACKS - 2, packsAsked().stream().filter(pack -> pack > 1).count());
    }

    /** A quarter of the tier is for what nobody has read. */
    @Test
    void hintsPauseUntilWhatTheyHaveBroughtIsRead() throws Exception {
        Lane lane = fetcher.lane();
        for (int pack = 0; pack < 4; pack++) {
            lane.hint(chunks(pack, 0, CHUNKS).iterator());
        }
        awaitFlights(0);
        long most = fetcher.memory().capacity() / StoredChunks.SIZE.bytes() / 4;
        assertTrue(fetcher.memory().statistics().bytes() <= most * StoredChunks.SIZE.bytes());
        assertEquals(0, fetcher.memory().statistics().guessesWasted());
        for (int pack = 0; pack < 4; pack++) {
            for (int chunk = 0; chunk < CHUNKS; chunk++) {
                read(lane, List.of(), pack, chunk);
                awaitFlights(0);
            }
        }
        assertTrue(store.asked().size() < 4 * CHUNKS / 4, store.asked().size() + " requests");
    }

    @Test
    void closingEndsThoseWhoWait() throws Exception {
        store.stall();
        Future<?> flying = begin(fetcher.lane(), 1, 0);
        store.awaitWaiting(1);
        fetcher.close();
        assertInstanceOf(IOException.class, assertThrows(ExecutionException.class, flying::get).getCause());
        assertThrows(IOException.class, () -> read(fetcher.lane(), List.of(), 1, 0));
    }
}
