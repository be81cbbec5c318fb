package io.afterimage.nbd.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.afterimage.nbd.server.RawClient.Chunk;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** BLOCK_STATUS on the wire ("NBD_CMD_BLOCK_STATUS"), compact, wide and filtered. */
final class WireStatusTest extends TransmissionWire {

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

    @Test
    void equalNeighboursAreOneExtent() throws IOException {
        try (RawClient client = structured("statuses", "x-test:bits")) {
            client.send(RawClient.request(0, STATUS, 1, 100, 10_000));
            ByteBuffer status = client.chunk(false).bytes();
            status.getInt();
            assertExtents(status, 10_000, 5);
        }
    }

    /** 2^17 at most, as QEMU takes them; the client asks on behind the last. */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void oneReplyHasSoManyExtentsAtMost(boolean extended) throws IOException {
        try (RawClient client = extended ? extended("statuses", "x-test:stripes") : structured("statuses", "x-test:stripes")) {
            client.send(extended ? RawClient.extended(0, STATUS, 1, 0, SIZE) : RawClient.request(0, STATUS, 1, 0, SIZE));
            Chunk chunk = client.chunk(extended);
            assertEquals((extended ? 8 + 16 * (1 << 17) : 4 + 8 * (1 << 17)), chunk.payload().length);
            client.send(extended ? RawClient.extended(REQ_ONE, STATUS, 2, 3, SIZE - 3) : RawClient.request(REQ_ONE, STATUS, 2, 3, SIZE - 3));
            assertEquals(extended ? 24 : 12, client.chunk(extended).payload().length);
        }
    }

    /** A source that makes no sense is a failure of the device: nothing of it reaches the client. */
    @ParameterizedTest
    @ValueSource(strings = {"x-bad:gap", "x-bad:overlap", "x-bad:beyond", "x-bad:none", "x-bad:wide"})
    void aSourceWithoutSenseIsAnError(String context) throws IOException {
        try (RawClient client = structured("statuses", "base:allocation", context)) {
            client.send(RawClient.request(0, STATUS, 1, 0, 4096));
            Chunk chunk = client.chunk(false);
            assertEquals(EIO, chunk.error());
            assertTrue(chunk.done());
            client.send(RawClient.request(0, READ, 2, 0, 512));
            assertEquals(0, client.anyError(2));
        }
    }

    @Test
    void theFilterIsOfferedWithExtendedHeadersAndContexts() throws IOException {
        for (int form : new int[] {8, 11}) {
            for (String[] contexts : new String[][] {{}, {"base:allocation"}}) {
                try (RawClient client = RawClient.greeted(port)) {
                    assertEquals(1, client.ask(form));
                    assertEquals(1, client.ask(10, RawClient.meta("rw", contexts)));
                    byte[] export = client.option(6, RawClient.info("rw")).replies().getFirst().payload();
                    boolean offered = (ByteBuffer.wrap(export).getShort(10) & 1 << 12) != 0;
                    assertEquals(form == 11 && contexts.length > 0, offered);
                }
            }
        }
    }
}
