package io.afterimage.nbd.server;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.afterimage.block.BlockDevice;
import io.afterimage.block.MemoryDevice;
import io.afterimage.nbd.Await;
import io.afterimage.nbd.client.ClientOptions;
import io.afterimage.nbd.client.NbdClient;
import io.afterimage.nbd.client.RemoteDevice;
import io.afterimage.nbd.protocol.NbdUri;
import io.netty.buffer.PooledByteBufAllocator;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Clients that want too much, take nothing, or go away in the middle: memory stays bounded, others are served. */
final class EnduranceTest {

    private static final int SIZE = 64 << 20;
    private static final int SLOW = 32 << 20;
    /** Long enough for clients of a machine that has much else to do. */
    private static final Duration STALL = Duration.ofSeconds(2);

    private final MapExports exports = MapExports.of("e", new Export(new MemoryDevice(SIZE), ""));
    private NbdServer server;
    private int port;

    private void start(Limits limits) throws IOException {
        Random random = new Random(1);
        byte[] bytes = new byte[1 << 20];
        for (int at = 0; at < SIZE; at += bytes.length) {
            random.nextBytes(bytes);
            exports.open("e").orElseThrow().device().write(at, ByteBuffer.wrap(bytes));
        }
        server = NbdServer.start(ServerSettings.on(new NbdUri.Tcp("127.0.0.1", 0)).withLimits(limits), exports);
        port = ((NbdUri.Tcp) server.addresses().getFirst()).port();
    }

    @AfterEach
    void stop() throws IOException {
        server.close();
    }

    private RawClient transmission() throws IOException {
        RawClient client = RawClient.greeted(port);
        assertEquals(1, client.ask(7, RawClient.info("e")));
        return client;
    }

    private void assertServed() throws IOException {
        try (RemoteDevice device = NbdClient.connect(server.uris("e").getFirst(), ClientOptions.DEFAULT)) {
            ByteBuffer bytes = ByteBuffer.allocate(3 << 20);
            device.read(1000, bytes);
        }
    }

    private static long directMemory() {
        return PooledByteBufAllocator.DEFAULT.metric().usedDirectMemory();
    }

    @Test
    void clientsThatDoNotReadHoldLittleAndAreDroppedWhenOthersWait() throws Exception {
        start(Limits.DEFAULT.withTotalBytesInFlight(64 << 20).withStallTime(STALL));
        long before = directMemory();
        List<RawClient> greedy = new ArrayList<>();
        try {
            for (int i = 0; i < 12; i++) {
                RawClient client = transmission();
                greedy.add(client);
                for (int n = 0; n < 100; n++) {
                    client.send(RawClient.request(0, 0, n, 0, 16 << 20));
                }
            }
            assertServed();
            long limit = before + (64L << 20) + greedy.size() * (6L << 20);
            assertTrue(directMemory() < limit, () -> directMemory() + " bytes, expected less than " + limit);
            for (int i = 0; i < 5; i++) {
                assertServed();
            }
        } finally {
            for (RawClient client : greedy) {
                client.close();
            }
        }
        Await.until("the end of all connections", () -> server.connections() == 0);
    }

    @Test
    void clientsThatAnnounceButDoNotSendHoldLittle() throws Exception {
        start(Limits.DEFAULT.withTotalBytesInFlight(64 << 20).withStallTime(STALL));
        long before = directMemory();
        List<RawClient> slow = new ArrayList<>();
        try {
            for (int i = 0; i < 150; i++) {
                RawClient client = transmission();
                slow.add(client);
                client.send(RawClient.request(0, 1, 1, 0, 32 << 20)).send(new byte[100]);
            }
            assertServed();
            long limit = before + (64L << 20) + slow.size() * (1L << 20);
            assertTrue(directMemory() < limit, () -> directMemory() + " bytes, expected less than " + limit);
        } finally {
            for (RawClient client : slow) {
                client.close();
            }
        }
    }

    /** Memory is given back behind the output: while one more request is being worked on, that must not go round in circles. */
    @Test
    void outputThatWaitsDoesNotHoldUpWhatIsInFlight() throws Exception {
        CountDownLatch fetched = new CountDownLatch(1);
        BlockDevice slow = new BlockDevice() {
            @Override
            public long size() {
                return SIZE;
            }

            @Override
            public void read(long offset, ByteBuffer target) throws IOException {
                if (offset == SLOW) {
                    await(fetched);
                }
                target.position(target.limit());
            }

            @Override
            public void close() {}
        };
        server = NbdServer.start(
                ServerSettings.on(new NbdUri.Tcp("127.0.0.1", 0)), MapExports.of("e", new Export(slow, "")));
        port = ((NbdUri.Tcp) server.addresses().getFirst()).port();
        try (RawClient client = transmission()) {
            client.send(RawClient.request(0, 0, 1, SLOW, 1 << 20));
            client.send(RawClient.request(0, 0, 2, 0, 8 << 20));
            assertEquals(0, client.simple(2));
            client.read(8 << 20);
            fetched.countDown();
            assertEquals(0, client.simple(1));
            client.read(1 << 20);
        }
    }

    private static void await(CountDownLatch latch) throws IOException {
        try {
            latch.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException(e);
        }
    }

    @Test
    void tenThousandConnectsAndDropsLeaveNothing() throws Exception {
        start(Limits.DEFAULT);
        Random random = new Random(3);
        byte[] talk = RawClient.join(
                new byte[] {0, 0, 0, 3},
                RawClient.optionBytes(8, new byte[0]),
                RawClient.optionBytes(10, RawClient.meta("e", "base:allocation")),
                RawClient.optionBytes(7, RawClient.info("e", 3)),
                RawClient.request(0, 0, 1, 0, 1 << 20),
                RawClient.request(0, 1, 2, 0, 1 << 20));
        long memory = directMemory();
        int descriptors = openDescriptors();
        for (int i = 0; i < 10_000; i++) {
            try (RawClient client = RawClient.connect(port)) {
                client.socket().setSoLinger(i % 2 == 0, 0);
                client.send(java.util.Arrays.copyOf(talk, random.nextInt(talk.length + 1)));
            }
        }
        Await.until("the end of all connections", () -> server.connections() == 0);
        assertServed();
        assertServed();
        Await.until("the end of all connections", () -> server.connections() == 0);
        assertTrue(openDescriptors() < descriptors + 50, () -> openDescriptors() + " descriptors, " + descriptors + " before");
        // The pools of the threads that have worked keep a few chunks of 4 MiB each.
        assertTrue(directMemory() < memory + (48 << 20), () -> directMemory() + " bytes, " + memory + " before");
    }

    private static int openDescriptors() {
        return java.util.Objects.requireNonNull(java.nio.file.Path.of("/proc/self/fd").toFile().list()).length;
    }

    /** Clients that close their half and read on: what has begun is answered or not, but nobody stays. */
    @Test
    void halfClosedConnectionsGo() throws Exception {
        start(Limits.DEFAULT);
        List<RawClient> half = new ArrayList<>();
        try {
            for (int i = 0; i < 200; i++) {
                RawClient client = i % 2 == 0 ? transmission() : RawClient.greeted(port);
                half.add(client);
                switch (i % 10) {
                    case 0 -> client.send(RawClient.request(0, 1, 1, 0, 1 << 20)).send(new byte[1000]);
                    case 2 -> client.send(RawClient.request(0, 0, 1, 0, 1 << 20));
                    case 4 -> client.send(new byte[] {0x25, 0x60});
                    case 1 -> client.send(new byte[] {'I', 'H'});
                    default -> {}
                }
                client.socket().shutdownOutput();
            }
            Await.until("the end of all connections", () -> server.connections() == 0);
            assertServed();
        } finally {
            for (RawClient client : half) {
                client.close();
            }
        }
    }

    /** Takers of one byte at a time in the end get everything, and others are served beside them. */
    @Test
    void slowReadersAreServedBesideQuickOnes() throws Exception {
        start(Limits.DEFAULT);
        List<RawClient> slow = new ArrayList<>();
        try {
            for (int i = 0; i < 40; i++) {
                RawClient client = transmission();
                client.send(RawClient.request(0, 0, i, 0, 4 << 20));
                slow.add(client);
            }
            for (int round = 0; round < 16; round++) {
                for (RawClient client : slow) {
                    client.read(1);
                }
                assertServed();
            }
            for (RawClient client : slow) {
                client.read(4 << 20);
            }
        } finally {
            for (RawClient client : slow) {
                client.close();
            }
        }
    }

    @Test
    void beyondTheLimitConnectionsWaitForTheirTurn() throws Exception {
        start(Limits.DEFAULT.withConnections(2));
        try (RawClient one = transmission();
                RawClient two = transmission();
                RawClient three = RawClient.connect(port)) {
            three.socket().setSoTimeout(200);
            assertThrows(java.net.SocketTimeoutException.class, () -> three.in().read(), "not greeted");
            one.socket().close();
            three.socket().setSoTimeout(20_000);
            assertEquals('N', three.in().read());
            two.send(RawClient.request(0, 0, 1, 0, 512));
            assertEquals(0, two.simple(1));
        }
    }

    @Test
    void anAnnouncedStopFinishesWhatHasBegunAndRefusesTheRest() throws Exception {
        start(Limits.DEFAULT);
        try (RawClient client = transmission()) {
            // In one segment: the answer to the read tells that the write beside it has begun.
            client.send(ByteBuffer.allocate(58)
                    .put(RawClient.request(0, 0, 9, 0, 512))
                    .put(RawClient.request(0, 1, 1, 0, 4))
                    .put(new byte[] {1, 2}));
            assertEquals(0, client.simple(9));
            client.read(512);
            Thread stopping = Thread.ofVirtual().start(() -> stopUnchecked(false));
            Await.until("the end of listening", () -> {
                try {
                    RawClient.connect(port).close();
                    return false;
                } catch (java.net.ConnectException _) {
                    return true;
                } catch (java.net.SocketException _) {
                    return false; // reset: it met the socket while that was being closed
                }
            });
            client.send(new byte[] {3, 4});
            assertEquals(0, client.simple(1), "begun before the stop");
            int error = 0;
            while (error == 0) {
                client.send(RawClient.request(0, 3, 2, 0, 0));
                error = client.simple(2);
            }
            assertEquals(108, error, "ESHUTDOWN");
            client.send(RawClient.request(0, 2, 3, 0, 0)).assertClosed();
            stopping.join();
        }
        ByteBuffer written = ByteBuffer.allocate(4);
        exports.open("e").orElseThrow().device().read(0, written);
        assertArrayEquals(new byte[] {1, 2, 3, 4}, written.array());
    }

    @Test
    void aSilentStopEndsConnectionsWithoutAnError() throws Exception {
        start(Limits.DEFAULT);
        try (RawClient client = transmission()) {
            client.send(RawClient.request(0, 0, 1, 0, 1 << 20));
            assertEquals(0, client.simple(1));
            client.read(1 << 20);
            Thread stopping = Thread.ofVirtual().start(() -> stopUnchecked(true));
            client.assertClosed();
            stopping.join();
        }
    }

    @Test
    void aSharedExportIsOpenedOnceAndClosedWithItsLastUser() throws Exception {
        start(Limits.DEFAULT);
        int before = exports.opened.get();
        try (RawClient one = transmission();
                RawClient two = transmission()) {
            assertEquals(before + 1, exports.opened.get());
            one.socket().close();
            two.send(RawClient.request(0, 0, 1, 0, 512));
            assertEquals(0, two.simple(1));
        }
        Await.until("the end of all connections", () -> server.connections() == 0);
        server.close();
    }

    private void stopUnchecked(boolean silent) {
        try {
            if (silent) {
                server.stopForRestart(Duration.ofSeconds(20));
            } else {
                server.stop(Duration.ofSeconds(20));
            }
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }

    /** What a client that has gone had asked for is given up where the device can do so: nobody waits for it. */
    @Test
    void readsOfAClientThatHasGoneAreInterrupted() throws Exception {
        CountDownLatch begun = new CountDownLatch(3);
        CountDownLatch interrupted = new CountDownLatch(3);
        CountDownLatch never = new CountDownLatch(1);
        BlockDevice endless = new BlockDevice() {
            @Override
            public long size() {
                return SIZE;
            }

            @Override
            public void read(long offset, ByteBuffer target) throws IOException {
                begun.countDown();
                try {
                    never.await();
                } catch (InterruptedException e) {
                    interrupted.countDown();
                    Thread.currentThread().interrupt();
                    throw new IOException("given up", e);
                }
            }

            @Override
            public boolean canInterruptReads() {
                return true;
            }

            @Override
            public void close() {}
        };
        server = NbdServer.start(
                ServerSettings.on(new NbdUri.Tcp("127.0.0.1", 0)), MapExports.of("e", new Export(endless, "")));
        port = ((NbdUri.Tcp) server.addresses().getFirst()).port();
        try (RawClient client = transmission()) {
            for (int i = 0; i < 3; i++) {
                client.send(RawClient.request(0, 0, i, i * 4096L, 4096));
            }
            begun.await();
        }
        interrupted.await();
        Await.until("the end of the connection", () -> server.connections() == 0);
    }
}
