package io.afterimage.nbd.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.afterimage.block.ByteRange;
import io.afterimage.block.MemoryDevice;
import io.afterimage.nbd.protocol.BlockSizes;
import io.afterimage.nbd.protocol.NbdUri;
import io.afterimage.nbd.protocol.StatusExtent;
import io.afterimage.nbd.server.RawClient.Chunk;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;

/** A server with exports of several kinds, and the words of the transmission phase, for tests on the wire. */
abstract class TransmissionWire {

    static final int READ = 0;
    static final int WRITE = 1;
    static final int DISC = 2;
    static final int FLUSH = 3;
    static final int TRIM = 4;
    static final int CACHE = 5;
    static final int ZEROES = 6;
    static final int STATUS = 7;

    static final int EPERM = 1;
    static final int EIO = 5;
    static final int EINVAL = 22;
    static final int ENOSPC = 28;

    static final int FUA = 1;
    static final int NO_HOLE = 2;
    static final int DF = 4;
    static final int REQ_ONE = 8;
    static final int FAST_ZERO = 16;
    static final int PAYLOAD_LEN = 32;

    static final int SIZE = 80 << 20;

    final MemoryDevice device = new MemoryDevice(SIZE);
    final byte[] content = new byte[8 << 20];
    final ObservedDevice observed = new ObservedDevice();
    FaultyDevice faulty;
    NbdServer server;
    int port;

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
                        .and("observed", new Export(observed, ""))
                        .and("blocks", new Export(observed, "", Contexts.NONE, new BlockSizes(512, 4096, 64 << 10)))
                        .and("statuses", statuses())
                        .and("huge", new Export(new MemoryDevice(1L << 50), "")));
        port = ((NbdUri.Tcp) server.addresses().getFirst()).port();
    }

    /** Contexts that are odd, and contexts that make no sense. */
    private Export statuses() {
        return new Export(device, "")
                .withContext("x-test:bits", (range, limit) -> {
                    long first = range.length() / 2;
                    return List.of(new StatusExtent(range.offset(), first, 5), new StatusExtent(range.offset() + first, range.length() - first, 5));
                })
                .withContext("x-test:stripes", (range, limit) -> {
                    List<StatusExtent> stripes = new ArrayList<>();
                    for (long at = range.offset(); at < range.end() && stripes.size() < limit; at = stripes.getLast().range().end()) {
                        long end = Math.min(range.end(), (at / 512 + 1) * 512);
                        stripes.add(new StatusExtent(at, end - at, at / 512 % 2));
                    }
                    return stripes;
                })
                .withContext("x-bad:gap", (range, limit) -> List.of(new StatusExtent(range.offset() + 1, range.length() - 1, 0)))
                .withContext("x-bad:overlap", (range, limit) -> List.of(
                        new StatusExtent(range.offset(), 100, 0), new StatusExtent(range.offset() + 99, range.length() - 99, 1)))
                .withContext("x-bad:beyond", (range, limit) -> List.of(new StatusExtent(range.offset(), range.length() + 1, 0)))
                .withContext("x-bad:none", (range, limit) -> List.of())
                .withContext("x-bad:wide", (range, limit) -> List.of(new StatusExtent(range, 1L << 32)));
    }

    @AfterEach
    void stop() throws IOException {
        server.close();
    }

    final RawClient simple(String export) throws IOException {
        RawClient client = RawClient.greeted(port);
        assertEquals(1, client.ask(7, RawClient.info(export)));
        return client;
    }

    final RawClient chunked(String export, int form, String... contexts) throws IOException {
        RawClient client = RawClient.greeted(port);
        assertEquals(1, client.ask(form));
        assertEquals(1, client.ask(10, RawClient.meta(export, contexts)));
        assertEquals(1, client.ask(7, RawClient.info(export)));
        return client;
    }

    final RawClient structured(String export, String... contexts) throws IOException {
        return chunked(export, 8, contexts);
    }

    final RawClient extended(String export, String... contexts) throws IOException {
        return chunked(export, 11, contexts);
    }

    /** Collects the chunks of a read, checking that they cover it exactly once. */
    static byte[] readReply(RawClient client, long cookie, long offset, int length, boolean extended, List<Chunk> chunks)
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

    static byte[] filtered(long cookie, long offset, long length, int... ids) {
        ByteBuffer payload = ByteBuffer.allocate(8 + 4 * ids.length).putLong(length);
        for (int id : ids) {
            payload.putInt(id);
        }
        return RawClient.join(RawClient.extended(PAYLOAD_LEN, STATUS, cookie, offset, payload.capacity()), payload.array());
    }

    static void assertExtents(ByteBuffer status, int... lengthsAndFlags) {
        for (int expected : lengthsAndFlags) {
            assertEquals(expected, status.getInt());
        }
        assertEquals(0, status.remaining());
    }

    static Set<Long> cookiesOfSuccess(RawClient client, int count) throws IOException {
        Set<Long> cookies = new HashSet<>();
        for (int i = 0; i < count; i++) {
            ByteBuffer reply = ByteBuffer.wrap(client.read(16));
            assertEquals(0, reply.getInt(4));
            cookies.add(reply.getLong(8));
        }
        return cookies;
    }
}
