package io.afterimage.store.s3;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.afterimage.store.KeyPrefix;
import io.afterimage.store.ObjectKey;
import io.afterimage.store.ObjectNotFoundException;
import io.afterimage.store.Problem;
import io.afterimage.store.RetryPolicy;
import io.afterimage.store.RetryingStore;
import io.afterimage.store.StoreException;
import io.afterimage.store.StoreException.Outcome;
import io.afterimage.store.Ticker;
import io.afterimage.store.s3.FaultyProxy.Fault;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import software.amazon.awssdk.core.sync.RequestBody;

/** What the S3 store makes of requests that go wrong on the way. */
final class S3FaultsTest {

    private static final ObjectKey KEY = new ObjectKey("packs/00/a");
    private static final byte[] CONTENT = new byte[3_000_000];
    /** Long enough for a machine that has much else to do, or what is not spoilt would fail, too. */
    private static final Timeouts IMPATIENT = new Timeouts(Duration.ofSeconds(5), Duration.ofSeconds(1), Duration.ofSeconds(4), 1 << 20);

    private static final AtomicInteger BUCKETS = new AtomicInteger();
    private static EmbeddedS3 server;

    private final String bucket = "bucket-" + BUCKETS.incrementAndGet();
    private FaultyProxy proxy;
    private S3ObjectStore store;
    private S3ObjectStore direct;

    @BeforeAll
    static void startServer() throws IOException {
        new Random(4).nextBytes(CONTENT);
        server = EmbeddedS3.start();
    }

    @AfterAll
    static void stopServer() throws IOException {
        server.close();
    }

    @BeforeEach
    void open() throws IOException {
        proxy = new FaultyProxy(server.port(), Duration.ZERO);
        S3TestBucket unspoilt = bucket(server.endpoint());
        unspoilt.create();
        direct = unspoilt.open("p");
        store = bucket(proxy.endpoint()).open("p", IMPATIENT);
    }

    private S3TestBucket bucket(URI endpoint) {
        return new S3TestBucket(endpoint, EmbeddedS3.ACCESS_KEY, EmbeddedS3.SECRET_KEY, bucket);
    }

    @AfterEach
    void close() throws IOException {
        store.close();
        direct.close();
        proxy.close();
    }

    @Test
    void aPutThatWasRefusedHadNoEffect() throws IOException {
        for (int status : new int[] {429, 503}) {
            assertFails(new Fault.Refuse(status), Problem.BUSY, Outcome.TRANSIENT, this::put);
        }
        assertFails(new Fault.Refuse(403), Problem.ACCESS_DENIED, Outcome.FATAL, this::put);
        assertFails(new Fault.Refuse(501), Problem.REFUSED, Outcome.FATAL, this::put);
        assertFails(new Fault.Refuse(507), Problem.OUT_OF_SPACE, Outcome.FATAL, this::put);
        assertThrows(ObjectNotFoundException.class, () -> direct.getWhole(KEY, CONTENT.length));
    }

    @Test
    void aPutMayHaveWorkedThoughItFailed() throws IOException {
        List<Fault> faults = List.of(new Fault.FailAfterEffect(500), new Fault.FailAfterEffect(502), new Fault.FailAfterEffect(504), new Fault.CutResponse(-1));
        for (Fault fault : faults) {
            StoreException e = inject(fault, this::put);
            assertEquals(Outcome.AMBIGUOUS, e.outcome(), fault + ": " + e);
            assertArrayEquals(CONTENT, direct.getWhole(KEY, CONTENT.length), fault.toString());
            direct.delete(KEY);
        }
        assertFails(new Fault.Stall(), Problem.TIMED_OUT, Outcome.AMBIGUOUS, this::put);
        assertArrayEquals(CONTENT, direct.getWhole(KEY, CONTENT.length));
        direct.delete(KEY);
        assertFails(new Fault.CutRequest(1_000_000), Problem.BAD_REPLY, Outcome.AMBIGUOUS, this::put);
        assertThrows(ObjectNotFoundException.class, () -> direct.getWhole(KEY, CONTENT.length));
    }

    @Test
    void theProxyAloneSpoilsNothing() throws IOException {
        put();
        assertArrayEquals(CONTENT, store.getWhole(KEY, CONTENT.length));
        assertEquals(1, store.list(KeyPrefix.ALL).toList().size());
        store.delete(List.of(KEY, new ObjectKey("packs/00/b")));
        assertEquals(List.of(), store.list(KeyPrefix.ALL).toList());
    }

    @Test
    void aGetThatIsCutShortIsNoAnswer() throws IOException {
        direct.put(KEY, ByteBuffer.wrap(CONTENT));
        ByteBuffer target = ByteBuffer.allocate(100_000).position(7);
        for (Fault fault : List.of(new Fault.CutResponse(-1), new Fault.CutResponse(0), new Fault.CutResponse(50_000))) {
            assertFails(fault, Problem.BAD_REPLY, Outcome.TRANSIENT, () -> store.get(KEY, 1000, target));
            assertEquals(7, target.position());
            assertFails(fault, Problem.BAD_REPLY, Outcome.TRANSIENT, () -> store.getWhole(KEY, CONTENT.length));
        }
        assertFails(new Fault.Stall(), Problem.TIMED_OUT, Outcome.TRANSIENT, () -> store.get(KEY, 1000, target));
        assertFails(new Fault.Refuse(500), Problem.BUSY, Outcome.TRANSIENT, () -> store.get(KEY, 1000, target));
        assertFails(new Fault.Refuse(404), Problem.REFUSED, Outcome.FATAL, () -> store.getWhole(KEY, 10));
    }

    @Test
    void aListingThatIsCutShortIsNoAnswer() throws IOException {
        direct.put(KEY, ByteBuffer.wrap(CONTENT));
        for (Fault fault : List.of(new Fault.CutResponse(-1), new Fault.CutResponse(0), new Fault.CutResponse(100))) {
            assertFails(fault, Problem.BAD_REPLY, Outcome.TRANSIENT, () -> store.list(KeyPrefix.ALL).hasNext());
        }
        assertFails(new Fault.Refuse(503), Problem.BUSY, Outcome.TRANSIENT, () -> store.list(KeyPrefix.ALL).hasNext());
    }

    @Test
    void deletesMayHaveWorkedThoughTheyFailed() throws IOException {
        ObjectKey other = new ObjectKey("packs/00/b");
        for (List<ObjectKey> keys : List.of(List.of(KEY), List.of(KEY, other))) {
            direct.put(KEY, ByteBuffer.wrap(CONTENT));
            StoreException e = inject(new Fault.CutResponse(-1), () -> store.delete(keys));
            assertEquals(Outcome.AMBIGUOUS, e.outcome(), e::toString);
            assertEquals(List.of(), direct.list(KeyPrefix.ALL).toList());
        }
    }

    @Test
    void theRetryLayerGetsThroughAllOfIt() throws IOException {
        List<Fault> faults = List.of(
                new Fault.Refuse(503), new Fault.FailAfterEffect(500), new Fault.CutRequest(2_000_000), new Fault.CutResponse(-1), new Fault.Stall(), new Fault.Refuse(429));
        RetryPolicy policy = new RetryPolicy(Duration.ofMillis(1), Duration.ofMillis(2), Duration.ofMinutes(1));
        RetryingStore retrying = new RetryingStore(store, policy, Ticker.SYSTEM, new Random(1));
        faults.forEach(proxy::inject);
        retrying.put(KEY, ByteBuffer.wrap(CONTENT));
        faults.forEach(proxy::inject);
        assertArrayEquals(CONTENT, retrying.getWhole(KEY, CONTENT.length));
        faults.forEach(proxy::inject);
        ByteBuffer range = ByteBuffer.allocate(1000);
        retrying.get(KEY, 500_000, range);
        assertEquals(ByteBuffer.wrap(CONTENT, 500_000, 1000), range.flip());
        faults.forEach(proxy::inject);
        assertEquals(1, retrying.list(KeyPrefix.ALL).toList().size());
        faults.forEach(proxy::inject);
        retrying.delete(KEY);
        assertEquals(List.of(), direct.list(KeyPrefix.ALL).toList());
        assertEquals(0, proxy.pending());
    }

    @Test
    void aServerThatIsDownIsUnreachable() throws IOException {
        // The port is held, and nothing has listened there: a listener that is closed may live on for moments in a process that is being started.
        try (SocketChannel held = SocketChannel.open().bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0))) {
            URI endpoint = URI.create("http://127.0.0.1:" + held.socket().getLocalPort());
            try (S3ObjectStore down = bucket(endpoint).open("p", IMPATIENT)) {
                StoreException e = assertThrows(StoreException.class, () -> down.put(KEY, ByteBuffer.wrap(CONTENT)));
                assertEquals(Problem.UNREACHABLE, e.problem(), e::toString);
                assertEquals(Outcome.TRANSIENT, e.outcome());
                assertTrue(e.getMessage().contains(endpoint.toString()), e.getMessage());
            }
        }
    }

    @Test
    void aBucketThatIsNotThereIsNotAnEmptyStore() throws IOException {
        S3TestBucket missing = new S3TestBucket(server.endpoint(), EmbeddedS3.ACCESS_KEY, EmbeddedS3.SECRET_KEY, "missing");
        try (S3ObjectStore nowhere = missing.open("p")) {
            for (Executable call : List.<Executable>of(
                    () -> nowhere.list(KeyPrefix.ALL).hasNext(),
                    () -> nowhere.getWhole(KEY, 10),
                    () -> nowhere.get(KEY, 0, ByteBuffer.allocate(1)),
                    () -> nowhere.put(KEY, ByteBuffer.allocate(1)))) {
                assertEquals(Problem.STORE_MISSING, assertThrows(StoreException.class, call).problem());
            }
        }
    }

    @Test
    void wrongCredentialsAreDenied() throws IOException {
        try (S3ObjectStore intruder = new S3TestBucket(server.endpoint(), EmbeddedS3.ACCESS_KEY, "guess", bucket).open("p")) {
            StoreException e = assertThrows(StoreException.class, () -> intruder.getWhole(KEY, 10));
            assertEquals(Problem.ACCESS_DENIED, e.problem(), e::toString);
            assertEquals(Outcome.FATAL, e.outcome());
        }
    }

    @Test
    void foreignObjectsAreSkippedPageByPage() throws Exception {
        try (var sdk = bucket(server.endpoint()).client(); ExecutorService executor = Executors.newFixedThreadPool(8)) {
            List<Future<?>> puts = new ArrayList<>();
            for (int i = 0; i < 2100; i++) {
                String key = "p/m/with space %04d".formatted(i);
                puts.add(executor.submit(() -> sdk.putObject(put -> put.bucket(bucket).key(key), RequestBody.empty())));
            }
            for (Future<?> put : puts) {
                put.get();
            }
        }
        direct.put(new ObjectKey("m/a"), ByteBuffer.allocate(1));
        direct.put(new ObjectKey("m/z"), ByteBuffer.allocate(1));
        assertEquals(List.of("m/a", "m/z"), direct.list(KeyPrefix.ALL).toList().stream().map(object -> object.key().value()).toList());
    }

    private void put() throws StoreException {
        store.put(KEY, ByteBuffer.wrap(CONTENT, 0, 2_500_000), ByteBuffer.wrap(CONTENT, 2_500_000, 500_000));
    }

    private StoreException inject(Fault fault, Executable call) {
        proxy.inject(fault);
        StoreException e = assertThrows(StoreException.class, call, fault.toString());
        assertEquals(0, proxy.pending(), "the request was not made once");
        return e;
    }

    private void assertFails(Fault fault, Problem problem, Outcome outcome, Executable call) {
        StoreException e = inject(fault, call);
        assertEquals(problem + " " + outcome, e.problem() + " " + e.outcome(), () -> fault + ": " + e + " by " + e.getCause());
    }
}
