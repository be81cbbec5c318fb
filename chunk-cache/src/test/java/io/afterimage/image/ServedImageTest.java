package io.afterimage.image;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.afterimage.block.BlockDevice;
import io.afterimage.catalog.Point;
import io.afterimage.fetch.FetchSettings;
import io.afterimage.nbd.Await;
import io.afterimage.nbd.client.ClientOptions;
import io.afterimage.nbd.client.NbdClient;
import io.afterimage.nbd.client.RemoteDevice;
import io.afterimage.nbd.protocol.NbdUri;
import io.afterimage.nbd.server.Export;
import io.afterimage.nbd.server.Limits;
import io.afterimage.nbd.server.MapExports;
import io.afterimage.nbd.server.NbdServer;
import io.afterimage.nbd.server.ServerSettings;
import io.afterimage.store.MemoryObjectStore;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Images behind a real server: chunks are lent to its sockets, and come back whatever becomes of those. All buffers are watched. */
@Timeout(120)
final class ServedImageTest {

    private static final int CHUNK = 65536;
    private static final int DATA = 300 * CHUNK + 1000;
    private static final int SIZE = DATA + 20 * CHUNK;
    private static final long MEMORY = 8 << 20;

    @TempDir
    private Path folder;

    private final byte[] reference = new byte[SIZE];
    private CapturedDisk disk;
    private ImageLibrary images;
    private PointInTimeImage image;
    private NbdServer server;

    @BeforeEach
    void serve() throws IOException {
        byte[] data = new byte[DATA];
        new Random(1).nextBytes(data);
        Arrays.fill(data, 20 * CHUNK, 30 * CHUNK, (byte) 0);
        System.arraycopy(data, 0, reference, 0, DATA);
        disk = new CapturedDisk(new MemoryObjectStore(), false, folder);
        Point point = disk.capture(data, SIZE);
        images = CapturedDisk.library(disk.repository(), MEMORY, Optional.empty(), FetchSettings.DEFAULT);
        image = images.open(point, CapturedDisk.VDA);
        Limits limits = Limits.DEFAULT.withTotalBytesInFlight(64 << 20).withStallTime(Duration.ofSeconds(2));
        server = NbdServer.start(
                ServerSettings.on(new NbdUri.Tcp("127.0.0.1", 0)).withLimits(limits), MapExports.of("e", new Export(image, "")));
    }

    @AfterEach
    void close() throws IOException, InterruptedException {
        server.close();
        Await.until("the return of all that was lent", () -> lent() == 0);
        images.close();
        disk.close();
    }

    private int lent() {
        return images.statistics().memory().lent();
    }

    private RemoteDevice client() throws IOException {
        return NbdClient.connect(server.uris("e").getFirst(), ClientOptions.DEFAULT);
    }

    private void assertRange(BlockDevice device, int offset, int length) throws IOException {
        ByteBuffer bytes = ByteBuffer.allocate(length);
        device.read(offset, bytes);
        assertArrayEquals(Arrays.copyOfRange(reference, offset, offset + length), bytes.array(), () -> length + " bytes at " + offset);
    }

    @Test
    void whatIsInMemoryIsLentByteForByte() throws IOException {
        image.read(0, ByteBuffer.allocate(60 * CHUNK));
        List<Integer> lent = new ArrayList<>();
        ByteBuffer gathered = ByteBuffer.allocate(25 * CHUNK);
        List<Runnable> releases = new ArrayList<>();
        assertTrue(image.lendResident(10 * CHUNK + 100, gathered.capacity(), (bytes, release) -> {
            assertTrue(bytes.isDirect());
            lent.add(bytes.remaining());
            gathered.put(bytes);
            releases.add(release);
        }));
        assertArrayEquals(Arrays.copyOfRange(reference, 10 * CHUNK + 100, 35 * CHUNK + 100), gathered.array());
        assertEquals(16, lent(), "zeros are nobody's");
        releases.forEach(Runnable::run);
        assertEquals(0, lent());
        assertEquals(26, lent.size());
    }

    @Test
    void whatIsNotAllInMemoryIsNotLentAtAll() throws IOException {
        image.read(0, ByteBuffer.allocate(CHUNK));
        assertFalse(image.lendResident(0, 299 * CHUNK, (bytes, release) -> {
            throw new AssertionError("lent in part");
        }));
        assertEquals(0, lent());
    }

    @Test
    void readsOfAllLengthsAreRightWhateverIsEvictedMeanwhile() throws Exception {
        try (RemoteDevice first = client();
                RemoteDevice second = client()) {
            Thread other = Thread.ofVirtual().start(() -> readAtRandom(second, 7));
            readAtRandom(first, 8);
            other.join();
            assertRange(first, 0, SIZE);
        }
        assertTrue(images.statistics().memory().evicted() > 0);
        assertTrue(images.statistics().hits() > 0);
    }

    private void readAtRandom(BlockDevice device, int seed) {
        Random random = new Random(seed);
        try {
            for (int i = 0; i < 300; i++) {
                int length = 1 + random.nextInt(random.nextBoolean() ? 4096 : 12 * CHUNK);
                int offset = random.nextInt(SIZE - length);
                assertRange(device, offset, length);
            }
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    /** Two hundred who ask for megabytes and take none: what is lent and buffered is bounded, one who takes his bytes gets them. */
    @Test
    void slowClientsHoldOnlySoMuch() throws Exception {
        image.read(0, ByteBuffer.allocate(100 * CHUNK));
        List<Socket> slow = new ArrayList<>();
        try {
            for (int i = 0; i < 200; i++) {
                slow.add(greedy());
            }
            for (int i = 0; i < 20; i++) {
                try (RemoteDevice client = client()) {
                    assertRange(client, i * 15 * CHUNK, 12 * CHUNK);
                }
                long mostLent = MEMORY / CHUNK / 2;
                assertTrue(lent() <= mostLent, () -> lent() + " chunks are lent, of " + mostLent);
                assertTrue(images.statistics().memory().bytes() <= MEMORY);
            }
        } finally {
            for (Socket socket : slow) {
                socket.close();
            }
        }
    }

    /** Asks for 64 reads of a MiB, by the oldest form of negotiation. */
    private Socket greedy() throws IOException {
        Socket socket = new Socket(InetAddress.getLoopbackAddress(), ((NbdUri.Tcp) server.addresses().getFirst()).port());
        DataInputStream in = new DataInputStream(socket.getInputStream());
        in.readFully(new byte[18]);
        DataOutputStream out = new DataOutputStream(socket.getOutputStream());
        out.writeInt(3);
        out.writeLong(0x49484156454F5054L);
        out.writeInt(1);
        byte[] name = "e".getBytes(StandardCharsets.UTF_8);
        out.writeInt(name.length);
        out.write(name);
        in.readFully(new byte[10]);
        for (int i = 0; i < 64; i++) {
            out.writeInt(0x25609513);
            out.writeInt(0);
            out.writeLong(i);
            out.writeLong((i % 2) * 16L * CHUNK);
            out.writeInt(16 * CHUNK);
        }
        out.flush();
        return socket;
    }
}
