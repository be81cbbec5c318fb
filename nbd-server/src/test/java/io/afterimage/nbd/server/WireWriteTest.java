package io.afterimage.nbd.server;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.afterimage.block.ByteRange;
import io.afterimage.block.Extent;
import io.afterimage.nbd.server.RawClient.Chunk;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** Changes on the wire: WRITE, WRITE_ZEROES, TRIM, FLUSH, FUA ("Ordering of messages and writes"). */
final class WireWriteTest extends TransmissionWire {

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
        assertEquals(List.of(new Extent(0, SIZE, Extent.Kind.HOLE)),
                device.extents(new ByteRange(0, SIZE), 5));
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
    void whatHasFuaIsDurableBeforeItsReply() throws IOException {
        try (RawClient client = simple("observed")) {
            client.send(RawClient.join(RawClient.request(0, WRITE, 1, 0, 4), new byte[4]));
            assertEquals(0, client.simple(1));
            assertEquals(List.of("write"), observed.done);
            client.send(RawClient.join(RawClient.request(FUA, WRITE, 2, 0, 4), new byte[4]));
            assertEquals(0, client.simple(2));
            client.send(RawClient.request(FUA, TRIM, 3, 0, 4));
            assertEquals(0, client.simple(3));
            client.send(RawClient.request(FUA | NO_HOLE, ZEROES, 4, 0, 4));
            assertEquals(0, client.simple(4));
            client.send(RawClient.request(0, FLUSH, 5, 0, 0));
            assertEquals(0, client.simple(5));
            assertEquals(List.of("write", "write", "flush", "trim", "flush", "zero and keep", "flush", "flush"), observed.done);
        }
    }

    /** A write of several pieces is flushed once, when all are written. */
    @Test
    void aLongWriteWithFuaIsFlushedBehindItsLastPiece() throws IOException {
        try (RawClient client = extended("observed")) {
            client.send(RawClient.join(RawClient.extended(FUA | PAYLOAD_LEN, WRITE, 1, 0, 1 << 20), new byte[1 << 20]));
            assertEquals(0, client.chunk(true).error());
            assertEquals("flush", observed.done.getLast());
            assertEquals(1, observed.done.stream().filter("flush"::equals).count());
        }
    }

    @Test
    void whatIsNotDurableIsAnError() throws IOException {
        observed.flushFails = true;
        try (RawClient client = structured("observed")) {
            client.send(RawClient.request(0, FLUSH, 1, 0, 0));
            assertEquals(EIO, client.anyError(1));
            client.send(RawClient.join(RawClient.request(FUA, WRITE, 2, 0, 4), new byte[4]));
            assertEquals(EIO, client.anyError(2));
            client.send(RawClient.request(FUA, TRIM, 3, 0, 4));
            Chunk chunk = client.chunk(false);
            assertEquals(EIO, chunk.error());
            assertTrue(!new String(chunk.payload(), StandardCharsets.UTF_8).contains("secret"), "what is below is not the client's business");
        }
    }

    @Test
    void aFullDeviceIsSaidToBeFull() throws IOException {
        observed.full = true;
        try (RawClient client = simple("observed")) {
            client.send(RawClient.join(RawClient.request(0, WRITE, 1, 0, 4), new byte[4]));
            assertEquals(ENOSPC, client.simple(1));
            client.send(RawClient.request(0, READ, 2, 512, 4));
            assertEquals(0, client.simple(2));
        }
    }

    @Test
    void zeroingThatIsNotFastIsNotOfferedAsSuch() throws IOException {
        try (RawClient client = RawClient.greeted(port)) {
            byte[] export = client.option(7, RawClient.info("observed")).replies().getFirst().payload();
            assertEquals(0, ByteBuffer.wrap(export).getShort(10) & 1 << 11, "SEND_FAST_ZERO");
            client.send(RawClient.request(FAST_ZERO, ZEROES, 1, 0, 512));
            assertEquals(EINVAL, client.simple(1));
            assertEquals(List.of(), observed.done);
        }
    }

    @Test
    void zeroesReadBack() throws IOException {
        try (RawClient client = simple("rw")) {
            client.send(RawClient.request(NO_HOLE, ZEROES, 1, 2_100_000, 300_000));
            assertEquals(0, client.simple(1));
            client.send(RawClient.request(0, READ, 2, 2_099_999, 300_002));
            assertEquals(0, client.simple(2));
            byte[] expected = new byte[300_002];
            expected[0] = content[2_099_999];
            expected[300_001] = content[2_400_000];
            assertArrayEquals(expected, client.read(300_002));
        }
    }

    @Test
    void whatOneConnectionWroteAllOthersRead() throws IOException {
        try (RawClient one = simple("rw");
                RawClient two = structured("rw")) {
            for (int i = 0; i < 50; i++) {
                byte[] bytes = {(byte) i, 7, (byte) -i};
                one.send(RawClient.join(RawClient.request(0, WRITE, i, 9 << 20, 3), bytes));
                assertEquals(0, one.simple(i));
                two.send(RawClient.request(0, READ, i, 9 << 20, 3));
                ByteBuffer data = two.chunk(false).bytes().position(8);
                assertEquals(ByteBuffer.wrap(bytes), data);
            }
        }
    }
}
