package io.afterimage.nbd.client;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.afterimage.block.ByteRange;
import io.afterimage.nbd.protocol.ReplyForm;
import io.afterimage.nbd.protocol.StatusExtent;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/**
 * Servers that are almost lawful: a whole server, whose words are changed, repeated, left out or cut at random places. Whatever it
 * says, a request of our client ends, with an exception or with nothing but bytes that came from the server; and if nothing was
 * changed, with the right ones. Runs for {@code -Dafterimage.fuzz.seconds}; a failure names its seed,
 * {@code -Dafterimage.fuzz.seed} begins there.
 */
final class ClientFuzzTest {

    private static final int SECONDS = Integer.getInteger("afterimage.fuzz.seconds", 5);
    private static final long FIRST_SEED = Long.getLong("afterimage.fuzz.seed", 1);
    /** Neighbouring seeds begin with the same numbers. */
    private static final long SPREAD = 0x9e3779b97f4a7c15L;

    private static final List<ReplyForm> FORMS = List.of(ReplyForm.SIMPLE, ReplyForm.STRUCTURED, ReplyForm.EXTENDED);

    /** Stands in a buffer before a read; in a reply, headers taken for data included, it never stands four times in a row. */
    private static final byte UNTOUCHED = (byte) 0xee;

    /** With servers that leave things out. */
    private static final ClientOptions IMPATIENT =
            ClientOptions.DEFAULT.withNegotiationTime(Duration.ofMillis(100)).withRequestTime(Duration.ofMillis(100));

    @Test
    void almostLawfulServersInventNothing() {
        long end = System.nanoTime() + SECONDS * 1_000_000_000L;
        long seed = FIRST_SEED;
        int lawful = 0;
        while (System.nanoTime() < end) {
            try {
                lawful += talk(new Random(seed * SPREAD)) ? 1 : 0;
            } catch (Throwable e) {
                throw new AssertionError("with -Dafterimage.fuzz.seed=" + seed, e);
            }
            seed++;
        }
        assertTrue(seed - FIRST_SEED > 10 && lawful > 0, "it got to talk");
    }

    /** One connection; whether the server stayed lawful. */
    private static boolean talk(Random random) throws IOException {
        boolean lawful = random.nextInt(4) == 0;
        FuzzedServer script = new FuzzedServer(new Random(random.nextLong()), lawful);
        ClientOptions options = (lawful ? ClientOptions.DEFAULT : IMPATIENT).withBest(FORMS.get(random.nextInt(3)));
        try (ScriptedServer server = ScriptedServer.from(script::play);
                RemoteDevice device = NbdClient.connect(server.uri(), options)) {
            for (int i = 0; i < 6; i++) {
                if (random.nextInt(4) == 0) {
                    status(device, random, lawful);
                } else {
                    read(device, random, lawful);
                }
            }
        } catch (IOException e) {
            if (lawful) {
                throw e;
            }
        }
        return lawful;
    }

    private static void read(RemoteDevice device, Random random, boolean lawful) throws IOException {
        int offset = random.nextInt(FuzzedServer.SIZE);
        // A faulty server may have said another size.
        int length = (int) Math.min(1 + random.nextInt(Math.min(20_000, FuzzedServer.SIZE - offset)), device.size());
        byte[] bytes = new byte[length];
        Arrays.fill(bytes, UNTOUCHED);
        device.read(Math.min(offset, device.size() - length), ByteBuffer.wrap(bytes));
        int untouched = 0;
        for (int i = 0; i < length; i++) {
            untouched = bytes[i] == UNTOUCHED ? untouched + 1 : 0;
            assertTrue(untouched < 4, "bytes that nobody sent");
            assertTrue(!lawful || FuzzedServer.byteAt(offset + i) == bytes[i], "another byte");
        }
    }

    private static void status(RemoteDevice device, Random random, boolean lawful) throws IOException {
        if (device.form() == ReplyForm.SIMPLE || device.size() < FuzzedServer.SIZE) {
            return;
        }
        int offset = random.nextInt(FuzzedServer.SIZE);
        ByteRange range = ByteRange.between(offset, offset + 1L + random.nextInt(FuzzedServer.SIZE - offset));
        List<StatusExtent> extents = device.status("base:allocation", range);
        long position = range.offset();
        for (StatusExtent extent : extents) {
            assertEquals(position, extent.range().offset());
            position = extent.range().end();
        }
        assertEquals(range.end(), position);
        assertTrue(!lawful || extents.stream().allMatch(extent -> extent.flags() == 0 || extent.flags() == 3));
    }
}
