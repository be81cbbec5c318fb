package io.afterimage.nbd.client;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.afterimage.nbd.Peer;
import io.afterimage.nbd.protocol.NbdUri;
import io.afterimage.nbd.protocol.ReplyForm;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Our client on nbdkit: its plain forms, its limits and its faults. */
final class NbdkitIT {

    private interface Use {
        void of(RemoteDevice device) throws IOException;
    }

    @TempDir
    Path folder;

    private void with(ClientOptions options, Use use, String... arguments) throws Exception {
        Path socket = folder.resolve("s");
        List<String> command = new ArrayList<>(List.of("nbdkit", "-f", "-U", socket.toString()));
        command.addAll(List.of(arguments));
        try (Peer nbdkit = Peer.serve(command.toArray(String[]::new))) {
            nbdkit.awaitSocket(socket);
            try (RemoteDevice device = NbdClient.connect(NbdUri.unix(socket, ""), options)) {
                use.of(device);
            }
        } finally {
            java.nio.file.Files.deleteIfExists(socket);
        }
    }

    private static void readAndCompare(RemoteDevice device) throws IOException {
        ByteBuffer bytes = ByteBuffer.allocate(5_000_001);
        device.read(8, bytes);
        for (int at = 0; at < bytes.capacity() - 8; at += 8) {
            assertEquals(at + 8, bytes.getLong(at), "the pattern holds each offset");
        }
    }

    @Test
    void readsWithWhateverFormThereIs() throws Exception {
        ClientOptions options = ClientOptions.DEFAULT.withConnections(4);
        with(options, device -> {
            assertEquals(ReplyForm.STRUCTURED, device.form());
            readAndCompare(device);
        }, "pattern", "6M");
        with(options, device -> {
            assertEquals(ReplyForm.SIMPLE, device.form());
            readAndCompare(device);
        }, "--no-sr", "pattern", "6M");
        with(options, device -> {
            assertEquals(ReplyForm.SIMPLE, device.form());
            readAndCompare(device);
        }, "--mask-handshake=0", "pattern", "6M");
    }

    @Test
    void keepsToTheBlockSizes() throws Exception {
        with(ClientOptions.DEFAULT, NbdkitIT::readAndCompareAligned,
                "--filter=blocksize-policy", "pattern", "6M", "blocksize-minimum=4096", "blocksize-preferred=64k", "blocksize-maximum=256k",
                "blocksize-error-policy=error");
    }

    private static void readAndCompareAligned(RemoteDevice device) throws IOException {
        assertEquals(256 << 10, device.info().blockSizes().maximum());
        ByteBuffer bytes = ByteBuffer.allocate(4 << 20);
        device.read(4096, bytes);
        for (int at = 0; at < bytes.capacity(); at += 8) {
            assertEquals(at + 4096, bytes.getLong(at));
        }
    }

    @Test
    void itsErrorsAreErrors() throws Exception {
        with(ClientOptions.DEFAULT, device -> {
            IOException failure = assertThrows(IOException.class, () -> device.read(0, ByteBuffer.allocate(4096)));
            assertTrue(failure.getMessage().contains("EIO"), failure::getMessage);
            assertThrows(IOException.class, () -> device.read(0, ByteBuffer.allocate(4 << 20)));
        }, "--filter=error", "pattern", "6M", "error-pread=EIO", "error-pread-rate=100%");
        with(ClientOptions.DEFAULT.withRequestTime(Duration.ofMillis(300)), device ->
                assertThrows(IOException.class, () -> device.read(0, ByteBuffer.allocate(4096))),
                "--filter=delay", "pattern", "6M", "rdelay=20");
    }
}
