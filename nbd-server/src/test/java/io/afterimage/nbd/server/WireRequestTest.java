package io.afterimage.nbd.server;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.afterimage.block.ByteRange;
import io.afterimage.nbd.server.RawClient.Chunk;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What holds for requests of every kind ("Request types", "Command flags", "Size constraints"). */
final class WireRequestTest extends TransmissionWire {

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
                        readReply(client, bit, 8 << 20, 512, false, new ArrayList<>());
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
                        throw new UncheckedIOException(e);
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
            readReply(client, 2, 8 << 20, 512, true, new ArrayList<>());
        }
        for (int flags : new int[] {0, PAYLOAD_LEN}) {
            try (RawClient client = extended("rw")) {
                client.send(RawClient.extended(flags, WRITE, 1, 0, -1)).assertClosed();
            }
        }
    }

    @Test
    void blocksOfAnExportThatHasThemAreKeptTo() throws IOException {
        try (RawClient client = structured("blocks", "base:allocation")) {
            for (int type : new int[] {READ, TRIM, CACHE, ZEROES, STATUS}) {
                for (int[] range : new int[][] {{1, 512}, {512, 513}, {511, 1}}) {
                    client.send(RawClient.request(0, type, 1, range[0], range[1]));
                    assertEquals(EINVAL, client.anyError(1), "type " + type + " at " + range[0]);
                }
            }
            client.send(RawClient.join(RawClient.request(0, WRITE, 2, 256, 512), new byte[512]));
            assertEquals(EINVAL, client.anyError(2));
            assertEquals(List.of(), observed.done);
            client.send(RawClient.request(0, READ, 3, 0, (64 << 10) + 512));
            assertEquals(EINVAL, client.anyError(3), "longer than this export's largest payload");
            client.send(RawClient.request(0, ZEROES, 4, 0, 1 << 20));
            assertEquals(0, client.anyError(4), "no payload, no limit");
        }
    }

    @Test
    void withExtendedHeadersEveryReplyIsExtendedAndNamesItsOffset() throws IOException {
        try (RawClient client = extended("rw", "base:allocation")) {
            for (int type : new int[] {READ, WRITE, FLUSH, TRIM, CACHE, ZEROES, STATUS, 99}) {
                for (long offset : new long[] {0, 4096, SIZE, -512}) {
                    byte[] header = RawClient.extended(type == WRITE ? PAYLOAD_LEN : 0, type, type + offset, offset, type == FLUSH ? 0 : 512);
                    client.send(type == WRITE ? RawClient.join(header, new byte[512]) : header);
                    Chunk chunk;
                    do {
                        chunk = client.chunk(true);
                        assertEquals(type + offset, chunk.cookie());
                        assertEquals(offset, chunk.offset());
                    } while (!chunk.done());
                    boolean legal = type != 99 && (type == FLUSH ? offset == 0 : offset == 0 || offset == 4096);
                    assertEquals(legal, chunk.error() == 0, "type " + type + " at " + offset);
                }
            }
        }
    }

    @Test
    void extendedRequestsSplitAtEveryByteMeanTheSame() throws IOException {
        byte[] payload = {1, 2, 3, 4, 5};
        byte[] filter = ByteBuffer.allocate(12).putLong(4096).putInt(1).array();
        byte[] talk = RawClient.join(
                RawClient.extended(PAYLOAD_LEN, WRITE, 1, 3000, 5), payload,
                RawClient.extended(PAYLOAD_LEN, STATUS, 2, 0, 12), filter,
                RawClient.extended(PAYLOAD_LEN, FLUSH, 3, 0, 3), new byte[3],
                RawClient.extended(DF, READ, 4, 10, 5));
        for (int split = 1; split < talk.length; split++) {
            device.zero(new ByteRange(3000, 5), true);
            try (RawClient client = extended("rw", "base:allocation")) {
                client.send(Arrays.copyOf(talk, split)).send(Arrays.copyOfRange(talk, split, talk.length));
                for (int i = 0; i < 4; i++) {
                    Chunk chunk = client.chunk(true);
                    assertTrue(chunk.done());
                    assertEquals(chunk.cookie() == 3 ? EINVAL : 0, chunk.error(), "split at " + split);
                    if (chunk.cookie() == 4) {
                        assertEquals(ByteBuffer.wrap(content, 10, 5), chunk.bytes().position(8));
                    }
                }
            }
            ByteBuffer written = ByteBuffer.allocate(5);
            device.read(3000, written);
            assertArrayEquals(payload, written.array(), "split at " + split);
        }
    }
}
