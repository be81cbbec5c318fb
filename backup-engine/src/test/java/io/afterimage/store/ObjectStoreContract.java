package io.afterimage.store;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

/** What {@link ObjectStore} promises; every provider's test extends this. */
public abstract class ObjectStoreContract {

    private final Random random = new Random(20_260_101);
    private ObjectStore store;

    /** The store under test, empty. */
    protected abstract ObjectStore open() throws IOException;

    /** Another client of the same objects, such as another process would be; closed by the caller. */
    protected abstract ObjectStore openAnother() throws IOException;

    /** How many objects make a listing that does not fit into one page. */
    protected int moreThanAPage() {
        return 2 * ObjectStore.PAGE + 17;
    }

    /** How many times a race is run. */
    protected int rounds() {
        return 200;
    }

    @BeforeEach
    final void openStore() throws IOException {
        store = open();
    }

    @AfterEach
    final void closeStore() throws IOException {
        store.close();
    }

    @Test
    final void whatWasPutIsThere() throws IOException {
        byte[] content = bytes(100_000);
        store.put(key("packs/00/a"), ByteBuffer.wrap(content));
        assertArrayEquals(content, store.getWhole(key("packs/00/a"), content.length));
        try (ObjectStore another = openAnother()) {
            assertArrayEquals(content, another.getWhole(key("packs/00/a"), Integer.MAX_VALUE));
        }
    }

    @Test
    final void anObjectMayBeEmpty() throws IOException {
        store.put(key("empty"));
        store.put(key("empty2"), ByteBuffer.allocate(0), ByteBuffer.allocate(0));
        assertEquals(0, store.getWhole(key("empty"), 0).length);
        assertEquals(List.of(0L, 0L), store.list(KeyPrefix.ALL).toList().stream().map(ObjectInfo::size).toList());
        assertProblem(Problem.TOO_SHORT, () -> store.get(key("empty"), 0, ByteBuffer.allocate(1)));
    }

    @Test
    final void contentComesFromBuffersOfAnyKindWhichAreLeftAsTheyWere() throws IOException {
        byte[] content = bytes(70_000);
        ByteBuffer heap = ByteBuffer.wrap(content, 0, 10_000);
        ByteBuffer direct = ByteBuffer.allocateDirect(50_000).put(content, 10_000, 30_000).flip();
        ByteBuffer slice = ByteBuffer.wrap(content).slice(30_000, 40_000).position(10_000).asReadOnlyBuffer();
        for (int again = 0; again < 2; again++) {
            store.put(key("pack"), heap, direct, ByteBuffer.allocate(0), slice);
            assertArrayEquals(content, store.getWhole(key("pack"), content.length));
        }
        assertEquals(List.of(10_000, 30_000, 30_000), Stream.of(heap, direct, slice).map(ByteBuffer::remaining).toList());
    }

    @Test
    final void rangesAreExact() throws IOException {
        byte[] content = bytes(300_001);
        store.put(key("pack"), ByteBuffer.wrap(content));
        int[][] ranges = {{0, 1}, {0, 300_001}, {300_000, 1}, {65_536, 65_536}, {1, 299_999}, {12_345, 1}};
        for (int[] range : ranges) {
            for (ByteBuffer target : List.of(ByteBuffer.allocate(range[1] + 7), ByteBuffer.allocateDirect(range[1] + 7))) {
                target.position(3).limit(3 + range[1]);
                store.get(key("pack"), range[0], target);
                assertEquals(3 + range[1], target.position());
                assertEquals(0, target.get(2), "a byte before the position was changed");
                assertEquals(0, target.limit(range[1] + 7).get(3 + range[1]), "a byte behind the limit was changed");
                byte[] read = new byte[range[1]];
                target.get(3, read);
                assertArrayEquals(Arrays.copyOfRange(content, range[0], range[0] + range[1]), read);
            }
        }
    }

    @Test
    final void anEmptyRangeAsksForNothing() throws IOException {
        store.get(key("nothing"), 17, ByteBuffer.allocate(0));
    }

    @Test
    final void aRangeBehindTheEndFailsAndLeavesThePosition() throws IOException {
        store.put(key("pack"), ByteBuffer.wrap(bytes(1000)));
        for (long offset : new long[] {0, 1, 999, 1000, 1001, 1L << 40}) {
            ByteBuffer target = ByteBuffer.allocate(2000).position(5).limit(1500);
            assertProblem(Problem.TOO_SHORT, () -> store.get(key("pack"), offset, target));
            assertEquals(5, target.position());
        }
    }

    @Test
    final void aMissingObjectIsReportedByItsKey() throws IOException {
        store.put(key("packs/00/a"), ByteBuffer.allocate(1));
        for (String missing : List.of("packs/00/b", "packs/01/a", "packs/00", "p", "packs/00/a.b")) {
            ByteBuffer target = ByteBuffer.allocate(1);
            var whole = assertThrows(ObjectNotFoundException.class, () -> store.getWhole(key(missing), 10), missing);
            var range = assertThrows(ObjectNotFoundException.class, () -> store.get(key(missing), 0, target), missing);
            assertEquals(missing, whole.subject());
            assertEquals(missing, range.subject());
            assertEquals(0, target.position());
        }
    }

    @Test
    final void anObjectOverTheCapIsRefused() throws IOException {
        store.put(key("descriptor"), ByteBuffer.allocate(5000));
        assertEquals(5000, store.getWhole(key("descriptor"), 5000).length);
        assertProblem(Problem.TOO_LARGE, () -> store.getWhole(key("descriptor"), 4999));
        assertProblem(Problem.TOO_LARGE, () -> store.getWhole(key("descriptor"), 0));
    }

    @Test
    final void overwritingReplacesTheWhole() throws IOException {
        try (ObjectStore another = openAnother()) {
            for (int length : new int[] {1000, 10, 5000, 0, 1}) {
                byte[] content = bytes(length);
                another.put(key("leases/x.json"), ByteBuffer.wrap(content));
                assertArrayEquals(content, store.getWhole(key("leases/x.json"), 10_000));
                ByteBuffer range = ByteBuffer.allocate(length);
                store.get(key("leases/x.json"), 0, range);
                assertArrayEquals(content, range.array());
                assertProblem(Problem.TOO_SHORT, () -> store.get(key("leases/x.json"), length, ByteBuffer.allocate(1)));
                assertEquals(List.of((long) length), store.list(KeyPrefix.ALL).toList().stream().map(ObjectInfo::size).toList());
            }
        }
    }

    @Test
    final void deletingIsIdempotent() throws IOException {
        store.put(key("a/b/c"), ByteBuffer.allocate(10));
        store.put(key("a/b/d"), ByteBuffer.allocate(10));
        ByteBuffer before = ByteBuffer.allocate(1);
        store.get(key("a/b/c"), 0, before);
        store.delete(key("a/b/c"));
        store.delete(key("a/b/c"));
        store.delete(key("never/was"));
        assertThrows(ObjectNotFoundException.class, () -> store.get(key("a/b/c"), 0, ByteBuffer.allocate(1)));
        assertEquals(List.of("a/b/d"), keys(KeyPrefix.ALL));
        store.put(key("a/b/c"), ByteBuffer.allocate(20));
        assertEquals(20, store.getWhole(key("a/b/c"), 20).length);
    }

    @Test
    final void deletingSeesWhatAnotherClientDid() throws IOException {
        store.put(key("packs/00/a"), ByteBuffer.allocate(10));
        store.get(key("packs/00/a"), 0, ByteBuffer.allocate(1));
        try (ObjectStore another = openAnother()) {
            another.delete(key("packs/00/a"));
        }
        assertThrows(ObjectNotFoundException.class, () -> store.get(key("packs/00/a"), 0, ByteBuffer.allocate(1)));
        store.delete(key("packs/00/a"));
    }

    @Test
    final void manyAreDeletedAtOnce() throws IOException {
        List<ObjectKey> keys = IntStream.range(0, 25).mapToObj(i -> key("packs/%02d/x".formatted(i))).toList();
        for (ObjectKey key : keys.subList(0, 20)) {
            store.put(key, ByteBuffer.allocate(1));
        }
        store.delete(keys.subList(5, 25));
        store.delete(List.of());
        assertEquals(keys.subList(0, 5).stream().map(ObjectKey::value).toList(), keys(KeyPrefix.ALL));
        List<ObjectKey> tooMany = IntStream.rangeClosed(0, ObjectStore.PAGE).mapToObj(i -> key("k" + i)).toList();
        assertThrows(IllegalArgumentException.class, () -> store.delete(tooMany));
    }

    @Test
    final void listingsAreInTheOrderOfTheKeys() throws IOException {
        List<String> sorted = List.of(
                "A", "a-b/x", "a.b/x", "a/0", "a/B", "a/a-", "a/a.b", "a/a/0/deep/er", "a/a/b", "a/a0", "a/a_b", "a/b", "a0", "a0b/x", "aB", "a_", "b");
        List<String> shuffled = new ArrayList<>(sorted);
        Collections.shuffle(shuffled, random);
        for (String key : shuffled) {
            store.put(key(key), ByteBuffer.allocate(key.length()));
        }
        assertEquals(sorted, keys(KeyPrefix.ALL));
        for (String prefix : List.of("a", "a/", "a/a", "a/a/", "a/a/0/de", "a-", "b", "c", "a/a/0/deep/er", "a/a/0/deep/er/")) {
            assertEquals(sorted.stream().filter(key -> key.startsWith(prefix)).toList(), keys(new KeyPrefix(prefix)), prefix);
        }
        for (String after : List.of("0", "A", "a/B", "a/a", "a/a/0", "a/a/1", "a/zzz", "a_", "b", "zz")) {
            assertEquals(
                    sorted.stream().filter(key -> key.compareTo(after) > 0).toList(),
                    store.list(KeyPrefix.ALL, Optional.of(key(after))).objects().stream().map(o -> o.key().value()).toList(),
                    after);
        }
        for (String prefix : List.of("", "a/a", "a/a/", "c")) {
            assertEquals(
                    sorted.stream().filter(key -> key.startsWith(prefix)).findFirst(),
                    store.first(new KeyPrefix(prefix)).map(object -> object.key().value()),
                    prefix);
        }
    }

    @Test
    final void aListingTellsSizeAndTime() throws IOException {
        Instant begin = Instant.now();
        store.put(key("a"), ByteBuffer.allocate(12_345));
        ObjectInfo info = store.list(KeyPrefix.ALL).next();
        assertEquals(12_345, info.size());
        Duration apart = Duration.between(begin, info.lastModified()).abs();
        assertTrue(apart.compareTo(Duration.ofMinutes(5)) < 0, "stored " + apart + " from now, by the clock of a store on this machine");
    }

    @Test
    final void longListingsComeInPages() throws Exception {
        List<String> expected = IntStream.range(0, moreThanAPage()).mapToObj("many/%05d"::formatted).toList();
        store.put(key("before"), ByteBuffer.allocate(1));
        store.put(key("z-behind"), ByteBuffer.allocate(1));
        inParallel(16, expected.stream().<Callable<Void>>map(key -> () -> {
            store.put(key(key), ByteBuffer.allocate(1));
            return null;
        }).toList());
        assertEquals(expected, keys(KeyPrefix.folder("many")));
        ListPage first = store.list(KeyPrefix.folder("many"), Optional.empty());
        assertFalse(first.last());
        assertTrue(first.objects().size() <= ObjectStore.PAGE);
    }

    @Test
    final void aPageThatIsJustFullIsFollowedByNothing() throws Exception {
        List<String> expected = IntStream.range(0, ObjectStore.PAGE).mapToObj("p/%04d"::formatted).toList();
        inParallel(16, expected.stream().<Callable<Void>>map(key -> () -> {
            store.put(key(key), ByteBuffer.allocate(1));
            return null;
        }).toList());
        assertEquals(expected, keys(KeyPrefix.folder("p")));
        store.delete(expected.stream().map(ObjectStoreContract::key).toList());
        assertEquals(List.of(), keys(KeyPrefix.ALL));
    }

    @Test
    final void readersOfAnObjectThatIsOverwrittenSeeOneVersion() throws Exception {
        AtomicBoolean done = new AtomicBoolean();
        // A busy store may say so: then it is asked again, as ever.
        ObjectStore patient = patient(store);
        patient.put(key("hot"), version(0));
        Callable<Void> reader = () -> {
            while (!done.get()) {
                byte[] whole = patient.getWhole(key("hot"), 1 << 20);
                ByteBuffer range = ByteBuffer.allocate(20_000);
                patient.get(key("hot"), 10_000, range);
                for (byte[] bytes : List.of(whole, range.array())) {
                    for (byte b : bytes) {
                        assertEquals(bytes[0], b, "two versions in one read");
                    }
                }
                assertEquals(version(whole[0]).remaining(), whole.length);
            }
            return null;
        };
        Callable<Void> writer = () -> {
            try (ObjectStore another = patient(openAnother())) {
                for (int i = 0; i < rounds(); i++) {
                    another.put(key("hot"), version(i & 63));
                }
                return null;
            } finally {
                done.set(true);
            }
        };
        inParallel(4, List.of(writer, reader, reader, reader));
    }

    private static ObjectStore patient(ObjectStore store) {
        return new RetryingStore(store, RetryPolicy.DEFAULT, Ticker.SYSTEM, new Random());
    }

    private static ByteBuffer version(int number) {
        byte[] content = new byte[30_000 + 1000 * number];
        Arrays.fill(content, (byte) number);
        return ByteBuffer.wrap(content);
    }

    @Test
    final void manyThreadsDoNotDisturbEachOther() throws Exception {
        List<Callable<Void>> tasks = new ArrayList<>();
        for (int task = 0; task < 16; task++) {
            ObjectKey key = key("t/%02d".formatted(task));
            byte[] content = bytes(10_000 + task);
            tasks.add(() -> {
                for (int i = 0; i < Math.max(3, rounds() / 20); i++) {
                    store.put(key, ByteBuffer.wrap(content));
                    ByteBuffer range = ByteBuffer.allocate(500);
                    store.get(key, 9_500, range);
                    assertArrayEquals(Arrays.copyOfRange(content, 9_500, 10_000), range.array());
                    assertArrayEquals(content, store.getWhole(key, content.length));
                    store.delete(key);
                    assertThrows(ObjectNotFoundException.class, () -> store.getWhole(key, 1));
                }
                return null;
            });
        }
        inParallel(16, tasks);
        assertEquals(List.of(), keys(KeyPrefix.ALL));
    }

    @Test
    final void anInterruptedCallEndsAndChangesNothingForOthers() throws Exception {
        store.put(key("kept"), ByteBuffer.wrap(bytes(1 << 20)));
        inParallel(1, List.of(() -> {
            Thread.currentThread().interrupt();
            assertProblem(Problem.INTERRUPTED, () -> store.put(key("new"), ByteBuffer.allocate(10)));
            assertTrue(Thread.currentThread().isInterrupted());
            assertProblem(Problem.INTERRUPTED, () -> store.getWhole(key("kept"), 1 << 20));
            assertProblem(Problem.INTERRUPTED, () -> store.get(key("kept"), 0, ByteBuffer.allocate(10)));
            assertProblem(Problem.INTERRUPTED, () -> store.list(KeyPrefix.ALL, Optional.empty()));
            assertProblem(Problem.INTERRUPTED, () -> store.delete(key("kept")));
            assertTrue(Thread.interrupted());
            return null;
        }));
        assertEquals(List.of("kept"), keys(KeyPrefix.ALL));
    }

    @Test
    final void readersSurviveTheInterruptionOfOthers() throws Exception {
        byte[] content = bytes(1 << 20);
        store.put(key("shared"), ByteBuffer.wrap(content));
        AtomicBoolean done = new AtomicBoolean();
        List<Callable<Void>> tasks = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
            tasks.add(() -> {
                while (!done.get()) {
                    ByteBuffer range = ByteBuffer.allocate(1 << 19);
                    store.get(key("shared"), 1 << 18, range);
                    assertArrayEquals(Arrays.copyOfRange(content, 1 << 18, 3 << 18), range.array());
                }
                return null;
            });
        }
        tasks.add(() -> {
            try {
                for (int i = 0; i < Math.max(5, rounds() / 4); i++) {
                    Thread victim = Thread.ofPlatform().start(() -> {
                        try {
                            while (true) {
                                store.get(key("shared"), 0, ByteBuffer.allocate(1 << 20));
                            }
                        } catch (StoreException e) {
                            assertEquals(Problem.INTERRUPTED, e.problem());
                        }
                    });
                    store.getWhole(key("shared"), 1 << 20);
                    victim.interrupt();
                    victim.join();
                }
                return null;
            } finally {
                done.set(true);
            }
        });
        inParallel(4, tasks);
    }

    @Test
    final void largeObjectsArriveWhole() throws IOException {
        byte[] content = bytes(20_000_003);
        store.put(key("packs/ff/large"), ByteBuffer.wrap(content, 0, 9_000_000), ByteBuffer.wrap(content, 9_000_000, 11_000_003));
        assertArrayEquals(content, store.getWhole(key("packs/ff/large"), content.length));
        ByteBuffer range = ByteBuffer.allocateDirect(5_000_000);
        store.get(key("packs/ff/large"), 7_000_001, range);
        assertEquals(ByteBuffer.wrap(content, 7_000_001, 5_000_000), range.flip());
    }

    @Test
    final void leftoversOfTheLivingAreNotRemoved() throws IOException {
        store.put(key("a/b"), ByteBuffer.allocate(10));
        store.removeLeftovers(Instant.now());
        assertEquals(List.of("a/b"), keys(KeyPrefix.ALL));
    }

    @Test
    final void itsNameIsForTheUser() {
        assertFalse(store.toString().contains("@"), "toString() names the store: " + store);
    }

    /** The store under test, for tests of a provider's own. */
    protected final ObjectStore store() {
        return store;
    }

    protected final byte[] bytes(int length) {
        byte[] bytes = new byte[length];
        random.nextBytes(bytes);
        return bytes;
    }

    protected static ObjectKey key(String value) {
        return new ObjectKey(value);
    }

    protected final List<String> keys(KeyPrefix prefix) throws StoreException {
        return store.list(prefix).toList().stream().map(object -> object.key().value()).toList();
    }

    protected static StoreException assertProblem(Problem problem, Executable call) {
        StoreException e = assertThrows(StoreException.class, call);
        assertEquals(problem, e.problem(), e::toString);
        return e;
    }

    /** Runs all tasks, {@code threads} at once; the first failure fails the test. */
    protected static void inParallel(int threads, List<? extends Callable<Void>> tasks) throws InterruptedException {
        try (ExecutorService executor = Executors.newFixedThreadPool(threads)) {
            List<Future<Void>> results = new ArrayList<>();
            for (Callable<Void> task : tasks) {
                results.add(executor.submit(task));
            }
            for (Future<Void> result : results) {
                try {
                    result.get();
                } catch (ExecutionException e) {
                    throw new AssertionError(e.getCause());
                }
            }
        }
    }
}
