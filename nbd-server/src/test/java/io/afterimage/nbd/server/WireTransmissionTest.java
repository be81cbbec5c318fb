package io.afterimage.nbd.server;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.afterimage.block.ByteRange;
import io.afterimage.block.MemoryDevice;
import io.afterimage.nbd.protocol.NbdUri;
import io.afterimage.nbd.protocol.StatusExtent;
import io.afterimage.nbd.server.RawClient.Chunk;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The transmission phase on the wire, legal and illegal ("Request types", "Structured reply types"). */
final class WireTransmissionTest {

    private static final int READ = 0;
    private static final int WRITE = 1;
    private static final int DISC = 2;
    private static final int FLUSH = 3;
    private static final int TRIM = 4;
    private static final int CACHE = 5;
    private static final int ZEROES = 6;
    private static final int STATUS = 7;

    private static final int EPERM = 1;
    private static final int EIO = 5;
    private static final int EINVAL = 22;
    private static final int ENOSPC = 28;

    private static final int FUA = 1;
    private static final int NO_HOLE = 2;
    private static final int DF = 4;
    private static final int REQ_ONE = 8;
    private static final int FAST_ZERO = 16;
    private static final int PAYLOAD_LEN = 32;

    private static final int SIZE = 80 << 20;

    private final MemoryDevice device = new MemoryDevice(SIZE);
    private final byte[] content = new byte[8 << 20];
    private FaultyDevice faulty;
    private NbdServer server;
    private int port;

    @BeforeEach
    void start() throws IOException {
        new Random(9).nextBytes(content);
        Arrays.fill(content, 1 << 20, 2 << 20, (byte) 0);
        device.write(0, ByteBuffer.wrap(content));
        device.zero(new ByteRange(1 << 20, 1 << 20), true);
        faulty = new FaultyDevice(new MemoryDevice(1 << 20));
        Export export = new Export(device, "")
                .withContext("x-test:thirds", (range, limit) -> List.of(
                        new StatusExtent(range.offset(), range.length() / 3, 1),
                        new StatusExtent(range.offset() + range.length() / 3, range.length() - range.length() / 3, 2)));
        server = NbdServer.start(
                ServerSettings.on(new NbdUri.Tcp("127.0.0.1", 0)),
                MapExports.of("rw", export)
                        .and("ro", new Export(new ReadOnlyView(device), ""))
                        .and("lent", new Export(new ResidentDevice(device), ""))
                        .and("faulty", new Export(faulty, ""))
                        .and("huge", new Export(new MemoryDevice(1L << 50), "")));
        port = ((NbdUri.Tcp) server.addresses().getFirst()).port();
    }

    @AfterEach
    void stop() throws IOException {
        server.close();
    }

    private RawClient simple(String export) throws IOException {
        RawClient client = RawClient.greeted(port);
        assertEquals(1, client.ask(7, RawClient.info(export)));
        return client;
    }

    private RawClient chunked(String export, int form, String... contexts) throws IOException {
        RawClient client = RawClient.greeted(port);
        assertEquals(1, client.ask(form));
        assertEquals(1, client.ask(10, RawClient.meta(export, contexts)));
        assertEquals(1, client.ask(7, RawClient.info(export)));
        return client;
    }

    private RawClient structured(String export, String... contexts) throws IOException {
        return chunked(export, 8, contexts);
    }

    private RawClient extended(String export, String... contexts) throws IOException {
        return chunked(export, 11, contexts);
    }

    /** Collects the chunks of a read, checking that they cover it exactly once. */
    private static byte[] readReply(RawClient client, long cookie, long offset, int length, boolean extended, List<Chunk> chunks)
            throws IOException {
        byte[] bytes = new byte[length];
        boolean[] covered = new boolean[length];
        Chunk chunk;
        do {
            chunk = client.chunk(extended);
            chunks.add(chunk);
            assertEquals(cookie, chunk.cookie());
            assertEquals(extended ? offset : -1, chunk.offset());
            assertEquals(0, chunk.error(), "type " + chunk.type());
            if (chunk.type() == 1 || chunk.type() == 2) {
                ByteBuffer payload = chunk.bytes();
                int at = Math.toIntExact(payload.getLong() - offset);
                int count = chunk.type() == 1 ? payload.remaining() : payload.getInt();
                assertTrue(count > 0, "an empty chunk");
                for (int i = at; i < at + count; i++) {
                    assertTrue(!covered[i], "byte " + i + " twice");
                    covered[i] = true;
                    bytes[i] = chunk.type() == 1 ? payload.get() : 0;
                }
            }
        } while (!chunk.done());
        for (boolean one : covered) {
            assertTrue(one, "a byte is missing");
        }
        return bytes;
    }

    @Test
    void everyCookieComesBackAndRepliesMayOvertake() throws IOException {
        try (RawClient client = simple("rw")) {
            long[] cookies = {0, -1, 1L << 63, 0x67446698, 42};
            for (long cookie : cookies) {
                client.send(RawClient.request(0, READ, cookie, 4096, 512));
                assertEquals(0, client.simple(cookie));
                assertArrayEquals(Arrays.copyOfRange(content, 4096, 4608), client.read(512));
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"rw", "lent", "ro"})
    void readsUnderStructuredRepliesComeAsDataAndHoles(String export) throws IOException {
        for (boolean extended : new boolean[] {false, true}) {
            try (RawClient client = extended ? extended(export) : structured(export)) {
                int[][] ranges = {{0, 1}, {511, 2}, {0, 65_536}, {(1 << 20) - 512, 70_000}, {1 << 20, 1 << 20}, {0, 8 << 20}, {4097, 5 << 20}};
                for (int[] range : ranges) {
                    client.send(extended
                            ? RawClient.extended(0, READ, 3, range[0], range[1])
                            : RawClient.request(0, READ, 3, range[0], range[1]));
                    List<Chunk> chunks = new java.util.ArrayList<>();
                    byte[] bytes = readReply(client, 3, range[0], range[1], extended, chunks);
                    assertArrayEquals(Arrays.copyOfRange(content, range[0], range[0] + range[1]), bytes);
                    if (range[1] == 8 << 20 || range[0] == 1 << 20) {
                        assertTrue(chunks.stream().anyMatch(chunk -> chunk.type() == 2), "a hole is sent as one");
                    }
                }
                for (int[] range : ranges) {
                    client.send(extended
                            ? RawClient.extended(DF, READ, 4, range[0], range[1])
                            : RawClient.request(DF, READ, 4, range[0], range[1]));
                    List<Chunk> chunks = new java.util.ArrayList<>();
                    readReply(client, 4, range[0], range[1], extended, chunks);
                    assertEquals(1, chunks.size(), "one chunk of data");
                    assertEquals(1, chunks.getFirst().type());
                }
            }
        }
    }

    @Test
    void requestsBeyondTheEndAreRefusedWithoutWrapping() throws IOException {
        long[][] beyond = {{SIZE, 1}, {SIZE - 1, 2}, {-512, 512}, {-1, 1}, {1L << 63, 512}, {Long.MAX_VALUE, 512}, {0, 0xffffffffL}};
        try (RawClient client = structured("rw", "base:allocation")) {
            for (long[] range : beyond) {
                for (int type : new int[] {READ, TRIM, CACHE, STATUS}) {
                    client.send(RawClient.request(0, type, 9, range[0], range[1]));
                    assertEquals(EINVAL, client.anyError(9), "type " + type + " at " + range[0]);
                }
                client.send(RawClient.request(0, ZEROES, 9, range[0], range[1]));
                assertEquals(ENOSPC, client.anyError(9));
            }
            client.send(RawClient.join(RawClient.request(0, WRITE, 9, SIZE - 1, 512), new byte[512]));
            assertEquals(ENOSPC, client.anyError(9));
            client.send(RawClient.request(0, READ, 10, 0, 1));
            assertEquals(0, client.anyError(10));
        }
    }

    @Test
    void emptyRequestsAreInvalid() throws IOException {
        try (RawClient client = structured("rw", "base:allocation")) {
            for (int type : new int[] {READ, WRITE, TRIM, CACHE, ZEROES, STATUS}) {
                client.send(RawClient.request(0, type, 9, 0, 0));
                assertEquals(EINVAL, client.anyError(9), "type " + type);
            }
        }
    }

    @Test
    void flagsThatDoNotBelongAreInvalid() throws IOException {
        int[] valid = {FUA | DF, FUA, 0, FUA, FUA, FUA, FUA | NO_HOLE | FAST_ZERO, FUA | REQ_ONE};
        try (RawClient client = structured("rw", "base:allocation")) {
            for (int type : new int[] {READ, WRITE, TRIM, CACHE, ZEROES, STATUS}) {
                for (int bit = 0; bit < 16; bit++) {
                    int flag = 1 << bit;
                    byte[] request = RawClient.request(flag, type, bit, 8 << 20, 512);
                    client.send(type == WRITE ? RawClient.join(request, new byte[512]) : request);
                    boolean legal = (valid[type] & flag) != 0;
                    if (type == READ && legal) {
                        readReply(client, bit, 8 << 20, 512, false, new java.util.ArrayList<>());
                    } else {
                        assertEquals(legal ? 0 : EINVAL, client.anyError(bit), "type " + type + ", flag " + flag);
                    }
                }
            }
        }
        try (RawClient client = simple("rw")) {
            client.send(RawClient.request(DF, READ, 1, 0, 512));
            assertEquals(EINVAL, client.simple(1), "DF without chunks");
            client.send(RawClient.request(0, STATUS, 1, 0, 512));
            assertEquals(EINVAL, client.simple(1), "BLOCK_STATUS without contexts");
        }
    }

    @Test
    void unknownCommandsAreInvalid() throws IOException {
        try (RawClient client = simple("rw")) {
            for (int type : new int[] {8, 9, 255, 65_535}) {
                client.send(RawClient.request(0, type, type, 0, 512));
                assertEquals(EINVAL, client.simple(type));
            }
        }
    }

    @Test
    void flushTakesNoRange() throws IOException {
        try (RawClient client = simple("ro")) {
            client.send(RawClient.join(RawClient.request(0, FLUSH, 1, 0, 0), RawClient.request(FUA, FLUSH, 2, 0, 0)));
            assertEquals(Set.of(1L, 2L), cookiesOfSuccess(client, 2));
            client.send(RawClient.request(0, FLUSH, 3, 512, 0));
            assertEquals(EINVAL, client.simple(3));
            client.send(RawClient.request(0, FLUSH, 3, 0, 512));
            assertEquals(EINVAL, client.simple(3));
        }
    }

    @Test
    void aReadOnlyExportIsNotChangedAndStaysUsable() throws IOException {
        try (RawClient client = simple("ro")) {
            client.send(RawClient.join(RawClient.request(0, WRITE, 1, 0, 70_000), new byte[70_000]));
            assertEquals(EPERM, client.simple(1));
            client.send(RawClient.request(0, ZEROES, 2, 0, 512));
            assertEquals(EPERM, client.simple(2));
            client.send(RawClient.request(0, TRIM, 3, 0, 512));
            assertEquals(EPERM, client.simple(3));
            client.send(RawClient.request(0, READ, 4, 0, 512));
            assertEquals(0, client.simple(4));
            assertArrayEquals(Arrays.copyOf(content, 512), client.read(512));
        }
    }

    @Test
    void readsAreLimitedToTheLargestPayload() throws IOException {
        try (RawClient client = simple("rw")) {
            client.send(RawClient.request(0, READ, 1, 0, (32 << 20) + 1));
            assertEquals(EINVAL, client.simple(1));
            client.send(RawClient.request(0, READ, 2, 0, 0xffffffffL));
            assertEquals(EINVAL, client.simple(2));
            client.send(RawClient.request(0, READ, 3, 0, 32 << 20));
            assertEquals(0, client.simple(3));
            assertArrayEquals(content, Arrays.copyOf(client.read(32 << 20), content.length));
        }
    }

    @Test
    void anOverlongWriteIsDrainedAndRefused() throws IOException {
        try (RawClient client = simple("rw")) {
            client.send(RawClient.join(RawClient.request(0, WRITE, 1, 0, 65 << 20), new byte[65 << 20]));
            assertEquals(EINVAL, client.simple(1));
            client.send(RawClient.request(0, READ, 2, 0, 512));
            assertEquals(0, client.simple(2));
            assertArrayEquals(Arrays.copyOf(content, 512), client.read(512), "nothing was written");
        }
    }

    @Test
    void theLargestWriteArrivesWholeHoweverItIsSplit() throws IOException {
        byte[] data = new byte[32 << 20];
        new Random(5).nextBytes(data);
        try (RawClient client = simple("rw")) {
            client.send(RawClient.request(FUA, WRITE, 1, 1_000_003, data.length));
            Random random = new Random(6);
            for (int at = 0; at < data.length; ) {
                int count = Math.min(data.length - at, random.nextInt(3 << 20));
                client.send(Arrays.copyOfRange(data, at, at + count));
                at += count;
            }
            assertEquals(0, client.simple(1));
            ByteBuffer written = ByteBuffer.allocate(data.length);
            device.read(1_000_003, written);
            assertArrayEquals(data, written.array());
        }
    }

    @Test
    void requestsSplitAtEveryByteMeanTheSame() throws IOException {
        byte[] payload = new byte[100];
        new Random(8).nextBytes(payload);
        byte[] talk = RawClient.join(RawClient.request(0, WRITE, 1, 3000, 100), payload, RawClient.request(0, READ, 2, 10, 5));
        for (int split = 1; split < talk.length; split++) {
            device.zero(new ByteRange(3000, 100), true);
            try (RawClient client = simple("rw")) {
                client.send(Arrays.copyOf(talk, split)).send(Arrays.copyOfRange(talk, split, talk.length));
                // The read may overtake the write.
                Set<Long> cookies = new HashSet<>();
                for (int i = 0; i < 2; i++) {
                    ByteBuffer reply = ByteBuffer.wrap(client.read(16));
                    assertEquals(0, reply.getInt(4));
                    cookies.add(reply.getLong(8));
                    if (reply.getLong(8) == 2) {
                        assertArrayEquals(Arrays.copyOfRange(content, 10, 15), client.read(5));
                    }
                }
                assertEquals(Set.of(1L, 2L), cookies, "split at " + split);
            }
            ByteBuffer written = ByteBuffer.allocate(100);
            device.read(3000, written);
            assertArrayEquals(payload, written.array(), "split at " + split);
        }
    }

    @Test
    void aThousandPipelinedRequestsAreAllAnswered() throws Exception {
        try (RawClient client = simple("rw")) {
            Thread sender = Thread.ofVirtual().start(() -> {
                for (int i = 0; i < 1000; i++) {
                    try {
                        client.send(RawClient.request(0, i % 3 == 0 ? FLUSH : READ, i, i % 3 == 0 ? 0 : i * 1000L, i % 3 == 0 ? 0 : 5000));
                    } catch (IOException e) {
                        throw new java.io.UncheckedIOException(e);
                    }
                }
            });
            Set<Long> cookies = new HashSet<>();
            for (int i = 0; i < 1000; i++) {
                ByteBuffer reply = ByteBuffer.wrap(client.read(16));
                assertEquals(0, reply.getInt(4));
                long cookie = reply.getLong(8);
                assertTrue(cookies.add(cookie));
                if (cookie % 3 != 0) {
                    assertArrayEquals(Arrays.copyOfRange(content, (int) cookie * 1000, (int) cookie * 1000 + 5000), client.read(5000));
                }
            }
            sender.join();
        }
    }

    @Test
    void discFinishesWhatHasBegun() throws IOException {
        try (RawClient client = simple("rw")) {
            client.send(RawClient.join(
                    RawClient.request(0, READ, 1, 0, 8 << 20),
                    RawClient.request(FUA, WRITE, 2, 9 << 20, 4),
                    new byte[] {1, 2, 3, 4},
                    RawClient.request(0, DISC, 3, 0, 0),
                    RawClient.request(0, READ, 4, 0, 512)));
            assertEquals(16 + (8 << 20) + 16, client.rest().length, "both replies, then the end");
            ByteBuffer written = ByteBuffer.allocate(4);
            device.read(9 << 20, written);
            assertArrayEquals(new byte[] {1, 2, 3, 4}, written.array());
        }
    }

    @Test
    void aBadMagicEndsTheConnection() throws IOException {
        try (RawClient client = simple("rw")) {
            byte[] request = RawClient.request(0, READ, 1, 0, 512);
            request[0] = 0;
            client.send(request).assertClosed();
        }
        try (RawClient client = extended("rw")) {
            client.send(RawClient.request(0, READ, 1, 0, 512)).send(new byte[4]).assertClosed();
        }
        try (RawClient client = simple("rw")) {
            client.send(RawClient.extended(0, READ, 1, 0, 512)).assertClosed();
        }
    }

    @Test
    void errorsOfTheDeviceReachTheClientBeforeAnyData() throws IOException {
        faulty.failAt(4096, 8192);
        try (RawClient client = simple("faulty")) {
            client.send(RawClient.request(0, READ, 1, 0, 65_536));
            assertEquals(EIO, client.simple(1));
            client.send(RawClient.request(0, READ, 2, 8192, 512));
            assertEquals(0, client.simple(2));
            client.read(512);
            client.send(RawClient.join(RawClient.request(0, WRITE, 3, 5000, 3), new byte[3]));
            assertEquals(EIO, client.simple(3));
        }
        try (RawClient client = structured("faulty")) {
            client.send(RawClient.request(0, READ, 1, 0, 65_536));
            Chunk chunk = client.chunk(false);
            assertEquals(EIO, chunk.error());
            assertTrue(chunk.done());
            assertTrue(chunk.payload().length > 6 && chunk.payload().length < 990, "a short text comes along");
            client.send(RawClient.request(0, READ, 2, SIZE, 512));
            chunk = client.chunk(false);
            assertEquals(0x8001, chunk.type(), "early errors of READ are chunks too");
        }
    }

    @Test
    void writeZeroesAndTrim() throws IOException {
        try (RawClient client = simple("rw")) {
            client.send(RawClient.request(0, ZEROES, 1, 100, 200));
            assertEquals(0, client.simple(1));
            client.send(RawClient.request(NO_HOLE | FUA | FAST_ZERO, ZEROES, 1, 4000, 200));
            assertEquals(0, client.simple(1));
            client.send(RawClient.request(0, TRIM, 1, 0, SIZE));
            assertEquals(0, client.simple(1), "no payload, no limit");
            client.send(RawClient.request(0, ZEROES, 1, 0, SIZE));
            assertEquals(0, client.simple(1));
            client.send(RawClient.request(0, CACHE, 1, 0, SIZE));
            assertEquals(0, client.simple(1));
        }
        assertEquals(List.of(new io.afterimage.block.Extent(0, SIZE, io.afterimage.block.Extent.Kind.HOLE)),
                device.extents(new ByteRange(0, SIZE), 5));
    }

    @Test
    void blockStatusHasOneChunkPerContext() throws IOException {
        try (RawClient client = structured("rw", "base:allocation", "x-test:thirds")) {
            client.send(RawClient.request(0, STATUS, 1, 0, 3 << 20));
            Chunk first = client.chunk(false);
            Chunk second = client.chunk(false);
            assertTrue(!first.done() && second.done());
            ByteBuffer allocation = first.bytes();
            assertEquals(1, allocation.getInt());
            assertExtents(allocation, 1 << 20, 0, 1 << 20, 3, 1 << 20, 0);
            ByteBuffer thirds = second.bytes();
            assertEquals(2, thirds.getInt());
            assertExtents(thirds, 1 << 20, 1, 2 << 20, 2);
            client.send(RawClient.request(REQ_ONE, STATUS, 2, 512, SIZE - 512));
            ByteBuffer one = client.chunk(false).bytes();
            one.getInt();
            assertExtents(one, (1 << 20) - 512, 0);
            assertEquals(4 + 8, client.chunk(false).payload().length);
        }
    }

    @Test
    void aHoleOfManyGibibytesFitsIntoItsDescriptor() throws IOException {
        try (RawClient client = structured("huge", "base:allocation")) {
            client.send(RawClient.request(0, STATUS, 1, 0, 0xffffffffL));
            ByteBuffer status = client.chunk(false).bytes();
            status.getInt();
            assertEquals(0xffffffffL, Integer.toUnsignedLong(status.getInt()));
            assertEquals(3, status.getInt());
        }
        try (RawClient client = extended("huge", "base:allocation")) {
            client.send(RawClient.extended(0, STATUS, 1, 512, (1L << 50) - 512));
            Chunk chunk = client.chunk(true);
            assertEquals(6, chunk.type());
            assertEquals(512, chunk.offset());
            ByteBuffer status = chunk.bytes();
            assertEquals(1, status.getInt());
            assertEquals(1, status.getInt());
            assertEquals((1L << 50) - 512, status.getLong());
            assertEquals(3, status.getLong());
            client.send(RawClient.extended(0, STATUS, 1, 512, 1L << 50));
            assertEquals(EINVAL, client.chunk(true).error(), "beyond the end");
            client.send(RawClient.extended(0, ZEROES, 1, 0, 1L << 50));
            assertEquals(0, client.chunk(true).error());
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {READ, FLUSH, TRIM, CACHE, ZEROES})
    void withExtendedHeadersOnlyWriteHasAPayload(int type) throws IOException {
        try (RawClient client = extended("rw", "base:allocation")) {
            client.send(RawClient.join(RawClient.extended(PAYLOAD_LEN, type, 1, 0, 512), new byte[512]));
            assertEquals(EINVAL, client.chunk(true).error());
            client.send(RawClient.extended(0, TRIM, 2, 8 << 20, 512));
            Chunk chunk = client.chunk(true);
            assertEquals(0, chunk.error());
            assertEquals(2, chunk.cookie());
            assertEquals(8 << 20, chunk.offset());
            client.send(RawClient.join(RawClient.extended(PAYLOAD_LEN, WRITE, 3, 8 << 20, 512), new byte[512]));
            assertEquals(0, client.chunk(true).error());
        }
    }

    @Test
    void aWriteHasItsPayloadAnnouncedOrNot() throws IOException {
        try (RawClient client = extended("rw")) {
            // As QEMU 10 does it.
            client.send(RawClient.join(RawClient.extended(FUA, WRITE, 1, 8 << 20, 512), new byte[512]));
            assertEquals(0, client.chunk(true).error());
            client.send(RawClient.extended(0, READ, 2, 8 << 20, 512));
            readReply(client, 2, 8 << 20, 512, true, new java.util.ArrayList<>());
        }
        for (int flags : new int[] {0, PAYLOAD_LEN}) {
            try (RawClient client = extended("rw")) {
                client.send(RawClient.extended(flags, WRITE, 1, 0, -1)).assertClosed();
            }
        }
    }

    @Test
    void blockStatusMayBeFiltered() throws IOException {
        try (RawClient client = extended("rw", "base:allocation", "x-test:thirds")) {
            client.send(filtered(1, 0, 3 << 20, 2));
            Chunk chunk = client.chunk(true);
            assertTrue(chunk.done());
            assertEquals(2, chunk.bytes().getInt());
            for (byte[] bad : List.of(
                    filtered(2, 0, 512, 3), filtered(2, 0, 512, 1, 1), filtered(2, 0, SIZE + 1L, 1), filtered(2, 0, -1, 1),
                    RawClient.join(RawClient.extended(PAYLOAD_LEN, STATUS, 2, 0, 7), new byte[7]),
                    RawClient.join(RawClient.extended(PAYLOAD_LEN, STATUS, 2, 0, 70_001), new byte[70_001]))) {
                client.send(bad);
                chunk = client.chunk(true);
                assertEquals(EINVAL, chunk.error());
                assertEquals(2, chunk.cookie());
            }
            client.send(filtered(3, 0, 3 << 20, 2, 1));
            assertEquals(1, client.chunk(true).bytes().getInt());
            assertEquals(2, client.chunk(true).bytes().getInt());
        }
        try (RawClient client = extended("rw")) {
            client.send(filtered(1, 0, 512, 1));
            assertEquals(EINVAL, client.chunk(true).error(), "no contexts, no filter");
        }
    }

    private static byte[] filtered(long cookie, long offset, long length, int... ids) {
        ByteBuffer payload = ByteBuffer.allocate(8 + 4 * ids.length).putLong(length);
        for (int id : ids) {
            payload.putInt(id);
        }
        return RawClient.join(RawClient.extended(PAYLOAD_LEN, STATUS, cookie, offset, payload.capacity()), payload.array());
    }

    private static void assertExtents(ByteBuffer status, int... lengthsAndFlags) {
        for (int expected : lengthsAndFlags) {
            assertEquals(expected, status.getInt());
        }
        assertEquals(0, status.remaining());
    }

    private static Set<Long> cookiesOfSuccess(RawClient client, int count) throws IOException {
        Set<Long> cookies = new HashSet<>();
        for (int i = 0; i < count; i++) {
            ByteBuffer reply = ByteBuffer.wrap(client.read(16));
            assertEquals(0, reply.getInt(4));
            cookies.add(reply.getLong(8));
        }
        return cookies;
    }
}
