package io.afterimage.nbd.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.afterimage.block.BlockDevice;
import io.afterimage.block.ForwardingDevice;
import io.afterimage.block.MemoryDevice;
import io.afterimage.nbd.Await;
import io.afterimage.nbd.client.ClientOptions;
import io.afterimage.nbd.client.NbdClient;
import io.afterimage.nbd.client.RemoteDevice;
import io.afterimage.nbd.protocol.ExportSummary;
import io.afterimage.nbd.protocol.Magic;
import io.afterimage.nbd.protocol.NbdUri;
import io.afterimage.nbd.protocol.StatusExtent;
import java.io.IOException;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

/**
 * Talks that are almost lawful: made of real options and requests in any order, then cut, repeated, and changed here and there.
 * Whatever is said, the server serves the next client, lets go of every connection, and closes every device that it opened.
 * Runs for {@code -Dafterimage.fuzz.seconds}; a failure names its seed, {@code -Dafterimage.fuzz.seed} begins there.
 */
final class FuzzTest {

    private static final int SECONDS = Integer.getInteger("afterimage.fuzz.seconds", 5);
    private static final long FIRST_SEED = Long.getLong("afterimage.fuzz.seed", 1);
    /** Neighbouring seeds begin with the same numbers. */
    private static final long SPREAD = 0x9e3779b97f4a7c15L;

    private final AtomicInteger open = new AtomicInteger();

    /** A device that counts how many of its kind are open. */
    private final class Counted extends ForwardingDevice {

        Counted() {
            super(new MemoryDevice(1 << 20));
            open.incrementAndGet();
        }

        @Override
        public void read(long offset, ByteBuffer target) throws IOException {
            device().read(offset, target);
        }

        @Override
        public void close() {
            open.decrementAndGet();
        }
    }

    @Test
    void almostLawfulTalkHarmsNobody() throws Exception {
        Exports exports = new Exports() {
            @Override
            public Iterable<ExportSummary> list(Client client) {
                return List.of();
            }

            @Override
            public boolean admits(Client client, String name) {
                return name.equals("e") || name.equals("lent");
            }

            @Override
            public Optional<Export> open(String name) throws IOException {
                BlockDevice device = name.equals("e") ? new Counted() : new ResidentDevice(new MemoryDevice(1 << 20));
                return Optional.of(new Export(device, "")
                        .withContext("x-test:a", (range, limit) -> List.of(new StatusExtent(range, 1))));
            }
        };
        try (NbdServer server = NbdServer.start(ServerSettings.on(new NbdUri.Tcp("127.0.0.1", 0)), exports)) {
            int port = ((NbdUri.Tcp) server.addresses().getFirst()).port();
            long end = System.nanoTime() + SECONDS * 1_000_000_000L;
            long seed = FIRST_SEED;
            while (System.nanoTime() < end) {
                try {
                    talk(port, new Random(seed * SPREAD));
                    if (seed % 64 == 0) {
                        assertLawfulClientIsServed(server, seed);
                    }
                } catch (Throwable e) {
                    throw new AssertionError("with -Dafterimage.fuzz.seed=" + seed + " or one of the 64 before", e);
                }
                seed++;
            }
            long last = seed;
            Await.until("the end of all connections, after seed " + last, () -> server.connections() == 0);
            Await.until("the end of all devices, after seed " + last, () -> open.get() == 0);
            assertTrue(seed - FIRST_SEED > 10, "it got to talk");
        }
        assertEquals(0, open.get());
    }

    private static void talk(int port, Random random) throws IOException {
        try (RawClient client = RawClient.connect(port)) {
            client.socket().setSoTimeout(random.nextInt(8) + 1);
            byte[] bytes = changed(sentences(random), random);
            for (int at = 0; at < bytes.length; ) {
                int count = random.nextInt(4) == 0 ? Math.min(bytes.length - at, 1 + random.nextInt(100)) : bytes.length - at;
                client.send(Arrays.copyOfRange(bytes, at, at + count));
                at += count;
            }
            if (random.nextBoolean()) {
                client.in().readNBytes(random.nextInt(100_000));
            }
            if (random.nextInt(4) == 0) {
                client.socket().setSoLinger(true, 0);
            }
        } catch (SocketTimeoutException | SocketException _) {
            // Silence, or dropped: both are answers.
        }
    }

    private static byte[] sentences(Random random) {
        List<byte[]> parts = new ArrayList<>();
        parts.add(ByteBuffer.allocate(4).putInt(random.nextInt(10) == 0 ? random.nextInt() : 1 + random.nextInt(3)).array());
        for (int i = random.nextInt(5); i > 0; i--) {
            parts.add(option(random));
        }
        boolean extended = random.nextBoolean();
        String export = random.nextInt(3) == 0 ? "lent" : "e";
        if (random.nextInt(10) > 1) {
            parts.add(RawClient.optionBytes(extended ? 11 : 8, new byte[0]));
            parts.add(RawClient.optionBytes(10, RawClient.meta(export, "base:allocation", "x-test:a")));
            parts.add(RawClient.optionBytes(7, RawClient.info(export, 3)));
        }
        for (int i = random.nextInt(20); i > 0; i--) {
            parts.add(request(random, extended));
        }
        return RawClient.join(parts.toArray(byte[][]::new));
    }

    private static byte[] option(Random random) {
        int code = random.nextInt(13);
        return switch (random.nextInt(4)) {
            case 0 -> RawClient.optionBytes(code, new byte[0]);
            case 1 -> RawClient.optionBytes(code, RawClient.info("e", random.nextInt(5)));
            case 2 -> RawClient.optionBytes(code, RawClient.meta("e", "base:allocation", "base:", "x"));
            default -> {
                byte[] junk = new byte[random.nextInt(200)];
                random.nextBytes(junk);
                yield RawClient.optionBytes(code, junk);
            }
        };
    }

    private static byte[] request(Random random, boolean extended) {
        int type = random.nextInt(9);
        int flags = random.nextInt(3) == 0 ? random.nextInt(64) : extended && type == 1 ? 32 : 0;
        long offset = random.nextInt(8) == 0 ? random.nextLong() : random.nextInt(1 << 20);
        int length = random.nextInt(8) == 0 ? random.nextInt(1 << 21) : random.nextInt(5000);
        boolean payload = extended ? (flags & 32) != 0 : type == 1;
        byte[] header = extended
                ? RawClient.extended(flags, type, random.nextLong(), offset, length)
                : RawClient.request(flags, type, random.nextLong(), offset, length);
        return payload ? RawClient.join(header, new byte[length]) : header;
    }

    private static byte[] changed(byte[] bytes, Random random) {
        byte[] result = random.nextInt(3) == 0 ? Arrays.copyOf(bytes, random.nextInt(bytes.length + 1)) : bytes;
        for (int i = random.nextInt(4); i > 0 && result.length > 0; i--) {
            int at = random.nextInt(result.length);
            switch (random.nextInt(3)) {
                case 0 -> result[at] ^= (byte) (1 << random.nextInt(8));
                case 1 -> result[at] = (byte) (random.nextBoolean() ? 0xff : 0);
                default -> {
                    if (at + 8 <= result.length) {
                        ByteBuffer.wrap(result).putLong(at, random.nextBoolean() ? Magic.OPTION : random.nextLong());
                    }
                }
            }
        }
        return result;
    }

    private static void assertLawfulClientIsServed(NbdServer server, long seed) throws IOException {
        try (RemoteDevice device = NbdClient.connect(server.uris("e").getFirst(), ClientOptions.DEFAULT)) {
            ByteBuffer bytes = ByteBuffer.allocate(100_000);
            device.write(seed & 0xfff, ByteBuffer.wrap(new byte[] {1, 2, 3}));
            device.read(0, bytes);
            assertEquals(1, bytes.get((int) (seed & 0xfff)));
        }
    }
}
