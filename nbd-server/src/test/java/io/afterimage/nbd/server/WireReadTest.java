package io.afterimage.nbd.server;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.afterimage.nbd.server.RawClient.Chunk;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** READ on the wire ("NBD_CMD_READ", "Structured reply types"). */
final class WireReadTest extends TransmissionWire {

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
                    List<Chunk> chunks = new ArrayList<>();
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
                    List<Chunk> chunks = new ArrayList<>();
                    readReply(client, 4, range[0], range[1], extended, chunks);
                    assertEquals(1, chunks.size(), "one chunk of data");
                    assertEquals(1, chunks.getFirst().type());
                }
            }
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
    void aReadThatWaitsIsOvertaken() throws IOException {
        observed.reads = new CountDownLatch(1);
        try (RawClient client = simple("observed")) {
            client.send(RawClient.join(RawClient.request(0, READ, 1, 0, 512), RawClient.request(0, READ, 2, 512, 512)));
            assertEquals(0, client.simple(2));
            client.read(512);
            observed.reads.countDown();
            assertEquals(0, client.simple(1));
            client.read(512);
        }
    }

    /** Room for the first reply, made in vain, is too small for the second. */
    @Test
    void besideAShortReadThatWaitsLongerOnesAreServed() throws IOException {
        try (RawClient client = simple("observed")) {
            client.send(RawClient.join(
                    RawClient.request(0, READ, 1, 0, 512), RawClient.request(0, READ, 2, 512, 16 << 10), RawClient.request(0, READ, 3, 0, 32 << 10)));
            Map<Long, Integer> lengths = Map.of(1L, 512, 2L, 16 << 10, 3L, 32 << 10);
            for (int i = 0; i < 3; i++) {
                ByteBuffer reply = ByteBuffer.wrap(client.read(16));
                assertEquals(0, reply.getInt(4));
                client.read(lengths.get(reply.getLong(8)));
            }
        }
    }

    /** Their chunks may come in any order, mixed with each other; each read gets its own bytes, each once. */
    @ParameterizedTest
    @CsvSource({"rw, false", "rw, true", "lent, false", "lent, true", "ro, true"})
    void pipelinedReadsKeepTheirChunksApart(String export, boolean extended) throws Exception {
        int reads = 300;
        Random random = new Random(11);
        int[] offsets = random.ints(reads, 0, (8 << 20) - 200_000).toArray();
        int[] lengths = random.ints(reads, 1, 200_000).toArray();
        try (RawClient client = extended ? extended(export) : structured(export)) {
            Thread sender = Thread.ofVirtual().start(() -> {
                for (int i = 0; i < reads; i++) {
                    int flags = i % 5 == 0 ? DF : 0;
                    try {
                        client.send(extended
                                ? RawClient.extended(flags, READ, i, offsets[i], lengths[i])
                                : RawClient.request(flags, READ, i, offsets[i], lengths[i]));
                    } catch (IOException e) {
                        throw new UncheckedIOException(e);
                    }
                }
            });
            byte[][] got = new byte[reads][];
            int[] left = lengths.clone();
            for (int done = 0; done < reads; ) {
                Chunk chunk = client.chunk(extended);
                int i = Math.toIntExact(chunk.cookie());
                assertEquals(extended ? offsets[i] : -1, chunk.offset());
                if (chunk.type() != 0) {
                    ByteBuffer payload = chunk.bytes();
                    int at = Math.toIntExact(payload.getLong() - offsets[i]);
                    int count = chunk.type() == 1 ? payload.remaining() : payload.getInt();
                    got[i] = got[i] == null ? new byte[lengths[i]] : got[i];
                    if (chunk.type() == 1) {
                        payload.get(got[i], at, count);
                    }
                    left[i] -= count;
                }
                if (chunk.done()) {
                    assertEquals(0, left[i], "read " + i);
                    assertArrayEquals(Arrays.copyOfRange(content, offsets[i], offsets[i] + lengths[i]), got[i], "read " + i);
                    done++;
                }
            }
            sender.join();
        }
    }
}
