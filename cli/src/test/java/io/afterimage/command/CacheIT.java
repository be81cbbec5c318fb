package io.afterimage.command;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.afterimage.lab.Alone;
import io.afterimage.lab.Deadline;
import io.afterimage.nbd.client.ClientOptions;
import io.afterimage.nbd.client.NbdClient;
import io.afterimage.nbd.client.NbdErrorException;
import io.afterimage.nbd.client.RemoteDevice;
import io.afterimage.nbd.protocol.NbdUri;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.Random;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What {@code afterimage serve} keeps on its host, and what it does while the store is away. */
@Alone
class CacheIT {

    private static final int SIZE = 12 << 20;
    private static final String DISK = "web/vda@latest";

    @TempDir
    Path folder;

    private Program afterimage;
    private Path image;

    @BeforeEach
    void backUp() throws IOException {
        afterimage = new Program(folder);
        afterimage.run("init").orFail();
        byte[] bytes = new byte[SIZE];
        new Random(11).nextBytes(bytes);
        image = folder.resolve("image.raw");
        Files.write(image, bytes);
        afterimage.run("backup", "web", "--image", "vda=raw:" + image).orFail();
    }

    private Path away() {
        return folder.resolve("away");
    }

    private long cached() {
        try (Stream<Path> files = Files.walk(folder.resolve("cache/frames"))) {
            return files.filter(Files::isRegularFile).mapToLong(file -> file.toFile().length()).sum();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Test
    void whatWasFetchedOutlivesAKillAndServesTheNextProcessWithoutThePacks() throws IOException {
        try (ServedRepository served = ServedRepository.start(afterimage, folder, "--cache-disk", "64M")) {
            served.assertExact(image, DISK);
            Deadline.in(Duration.ofSeconds(60)).await(() -> cached() > SIZE, served::log);
        }
        try (ServedRepository served = ServedRepository.start(afterimage, folder, "--cache-disk", "64M")) {
            Files.move(afterimage.repository().resolve("packs"), away());
            served.assertExact(image, DISK);
            assertTrue(served.terminate() != 137, served::log);
            assertTrue(served.log().contains("from the disk's cache"), served::log);
        }
    }

    /** As systemd listens, sd_notify(3). */
    @Test
    void theServiceManagerIsToldWhatWasRead() throws IOException {
        Path manager = folder.resolve("manager");
        Path told = folder.resolve("told");
        Process listener = new ProcessBuilder("python3", "-uc", """
                import socket, sys
                manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
                manager.bind(sys.argv[1])
                while True: print(manager.recv(65536).decode())
                """, manager.toString()).redirectOutput(told.toFile()).redirectErrorStream(true).start();
        try {
            Deadline.in(Duration.ofSeconds(60)).await(() -> Files.exists(manager), () -> read(told));
            try (ServedRepository served = ServedRepository.start(afterimage.with("NOTIFY_SOCKET", manager.toString()), folder)) {
                Deadline.in(Duration.ofSeconds(60)).await(() -> read(told).contains("READY=1\n"), served::log);
                served.assertExact(image, DISK);
                Deadline.in(Duration.ofSeconds(60))
                        .await(() -> Pattern.compile("STATUS=[1-9][0-9,]* chunks were read: .* Memory holds").matcher(read(told)).find(), () -> read(told));
            }
        } finally {
            listener.destroyForcibly();
        }
    }

    private static String read(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Test
    void whileTheStoreIsAwayReadsFailAndWhenItIsBackTheyDoNot() throws IOException {
        try (ServedRepository served = ServedRepository.start(afterimage, folder, "--cache-memory", "16M", "--read-timeout", "5s")) {
            try (RemoteDevice client = NbdClient.connect(NbdUri.parse(served.uri(DISK)), ClientOptions.DEFAULT)) {
                assertRange(client, 0);
                Files.move(afterimage.repository(), away());
                assertRange(client, 0);
                assertThrows(NbdErrorException.class, () -> assertRange(client, 10 << 20));
                Files.move(away(), afterimage.repository());
                assertRange(client, 10 << 20);
            }
            served.assertExact(image, DISK);
        }
    }

    private void assertRange(RemoteDevice client, int offset) throws IOException {
        ByteBuffer bytes = ByteBuffer.allocate(4096);
        client.read(offset, bytes);
        assertArrayEquals(Arrays.copyOfRange(Files.readAllBytes(image), offset, offset + 4096), bytes.array());
    }

    @Test
    void sizesThatMakeNoSenseAreRefusedInASentence() {
        Program.Result result = afterimage.run("serve", "--nbd", "unix:" + folder.resolve("s"), "--cache-memory", "1k");
        assertEquals(2, result.exit());
        assertTrue(result.err().contains("16M"), result.err());
    }
}
