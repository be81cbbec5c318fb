package io.afterimage.nbd.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.afterimage.block.MemoryDevice;
import io.afterimage.nbd.client.ClientOptions;
import io.afterimage.nbd.client.NbdClient;
import io.afterimage.nbd.protocol.NbdUri;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Where a server listens, and where it refuses to. */
final class ListenTest {

    private final MapExports exports = MapExports.of("e", new Export(new MemoryDevice(4096), ""));

    @TempDir
    Path folder;

    private NbdServer start(NbdUri.Place... places) throws IOException {
        return NbdServer.start(ServerSettings.on(places), exports);
    }

    @Test
    void theSocketIsPrivateAndGoesWithTheServer() throws IOException {
        Path socket = folder.resolve("s");
        try (NbdServer server = start(new NbdUri.Unix(socket))) {
            assertEquals("rw-------", PosixFilePermissions.toString(Files.getPosixFilePermissions(socket)));
            try (var files = Files.list(folder)) {
                assertEquals(1, files.count(), "nothing is left beside the socket");
            }
            assertEquals("nbd+unix:///e?socket=" + socket, server.uris("e").getFirst().toString());
            NbdClient.connect(server.uris("e").getFirst(), ClientOptions.DEFAULT).close();
        }
        assertFalse(Files.exists(socket));
    }

    @Test
    void theFileOfADeadServerIsReplaced() throws IOException {
        Path socket = folder.resolve("s");
        try (ServerSocketChannel dead = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
            dead.bind(UnixDomainSocketAddress.of(socket));
        }
        assertTrue(Files.exists(socket));
        try (NbdServer server = start(new NbdUri.Unix(socket))) {
            NbdClient.connect(server.uris("e").getFirst(), ClientOptions.DEFAULT).close();
        }
    }

    @Test
    void aLivingServerIsNotReplaced() throws IOException {
        Path socket = folder.resolve("s");
        try (NbdServer server = start(new NbdUri.Unix(socket))) {
            IOException refused = assertThrows(IOException.class, () -> start(new NbdUri.Unix(socket)));
            assertEquals(
                    "cannot listen on " + socket + ": another server listens there; stop it or choose another path", refused.getMessage());
            NbdClient.connect(server.uris("e").getFirst(), ClientOptions.DEFAULT).close();
        }
    }

    @Test
    void whatIsNotASocketIsLeftAlone() throws IOException {
        Path file = Files.writeString(folder.resolve("precious"), "data");
        IOException refused = assertThrows(IOException.class, () -> start(new NbdUri.Unix(file)));
        assertTrue(refused.getMessage().contains("is not a socket"), refused::getMessage);
        assertEquals("data", Files.readString(file));
        IOException missing = assertThrows(IOException.class, () -> start(new NbdUri.Unix(folder.resolve("no/s"))));
        assertTrue(missing.getMessage().contains("there is no directory"), missing::getMessage);
        Path longName = folder.resolve("x".repeat(120));
        IOException tooLong = assertThrows(IOException.class, () -> start(new NbdUri.Unix(longName)));
        assertTrue(tooLong.getMessage().contains("107 bytes"), tooLong::getMessage);
    }

    @Test
    void tcpBeyondLoopbackNeedsTlsOrConsent() throws IOException {
        NbdUri.Tcp everywhere = new NbdUri.Tcp("0.0.0.0", 0);
        IOException refused = assertThrows(IOException.class, () -> start(everywhere));
        assertTrue(refused.getMessage().startsWith("refused to listen on 0.0.0.0:0"), refused::getMessage);
        NbdServer.start(ServerSettings.on(everywhere).withInsecure(true), exports).close();
        start(new NbdUri.Tcp("127.0.0.1", 0), new NbdUri.Tcp("::1", 0)).close();
    }

    @Test
    void aHostThatIsNotKnownIsSaidToBeSo() {
        NbdUri.Tcp nowhere = new NbdUri.Tcp("::g", 10809); // no name either: nobody is asked
        IOException refused = assertThrows(IOException.class, () -> start(nowhere));
        assertEquals("cannot listen on " + nowhere + ": no host of that name is known; write an address of this host", refused.getMessage());
    }

    @Test
    void allAddressesOrNone() throws IOException {
        Path socket = folder.resolve("s");
        try (NbdServer first = start(new NbdUri.Tcp("127.0.0.1", 0))) {
            NbdUri.Place taken = first.addresses().getFirst();
            IOException refused = assertThrows(IOException.class, () -> start(new NbdUri.Unix(socket), taken));
            assertTrue(refused.getMessage().startsWith("cannot listen on " + taken), refused::getMessage);
            assertFalse(Files.exists(socket));
        }
    }
}
