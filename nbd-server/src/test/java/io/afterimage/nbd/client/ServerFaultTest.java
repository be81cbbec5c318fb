package io.afterimage.nbd.client;

import static io.afterimage.nbd.client.ScriptedServer.chunk;
import static io.afterimage.nbd.client.ScriptedServer.data;
import static io.afterimage.nbd.client.ScriptedServer.hole;
import static io.afterimage.nbd.client.ScriptedServer.reply;
import static io.afterimage.nbd.client.ScriptedServer.request;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.afterimage.block.ByteRange;
import io.afterimage.nbd.Await;
import io.afterimage.nbd.protocol.Magic;
import io.afterimage.nbd.protocol.NbdUri;
import io.afterimage.nbd.protocol.StatusExtent;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Whatever a server does wrong ends in an error, never in bytes that nobody sent. */
final class ServerFaultTest {

    private static final ClientOptions OPTIONS = ClientOptions.DEFAULT
            .withNegotiationTime(Duration.ofSeconds(5))
            .withConnectTime(Duration.ofSeconds(5))
            .withRequestTime(Duration.ofSeconds(20));

    private static Arguments fault(String name, String words, ScriptedServer.Script script) {
        return Arguments.of(name, words, script);
    }

    /** Faulty answers to a read of 4096 bytes at 0. */
    static Stream<Arguments> readFaults() {
        return Stream.of(
                fault("end of stream", "closed", (in, out) -> request(in)),
                fault("unknown cookie", "not sent", (in, out) -> data(out, 1, request(in) + 1, 0, 4096)),
                fault("short", "left out", (in, out) -> data(out, 1, request(in), 0, 4095)),
                fault("nothing", "left out", (in, out) -> chunk(out, 1, 0, request(in), 0)),
                fault("without its beginning", "left out", (in, out) -> data(out, 1, request(in), 1, 4095)),
                fault("gap", "left out", (in, out) -> {
                    long cookie = request(in);
                    data(out, 0, cookie, 0, 100);
                    data(out, 1, cookie, 101, 3995);
                }),
                fault("overlap", "twice", (in, out) -> {
                    long cookie = request(in);
                    data(out, 0, cookie, 0, 4096);
                    hole(out, 1, cookie, 4000, 96);
                }),
                fault("overlap from below", "twice", (in, out) -> {
                    long cookie = request(in);
                    data(out, 0, cookie, 100, 3996);
                    data(out, 1, cookie, 0, 101);
                }),
                fault("too long", "4097 bytes at 0", (in, out) -> data(out, 1, request(in), 0, 4097)),
                fault("too far", "at 4096", (in, out) -> hole(out, 1, request(in), 4096, 1)),
                fault("far below", "at -4096", (in, out) -> hole(out, 1, request(in), -4096, 4096)),
                fault("empty hole", "0 bytes", (in, out) -> hole(out, 1, request(in), 0, 0)),
                fault("empty data", "type 1", (in, out) -> chunk(out, 1, 1, request(in), 8)),
                fault("error", "EIO", (in, out) -> {
                    chunk(out, 1, 0x8001, request(in), 6);
                    out.writeInt(5);
                    out.writeShort(0);
                }),
                fault("error in the middle, then the rest", "ENOSPC, 'full'", (in, out) -> {
                    long cookie = request(in);
                    data(out, 0, cookie, 0, 100);
                    chunk(out, 0, 0x8002, cookie, 18);
                    out.writeInt(28);
                    out.writeShort(4);
                    out.writeBytes("full");
                    out.writeLong(100);
                    hole(out, 1, cookie, 100, 3996);
                }),
                fault("error of zero", "malformed", (in, out) -> {
                    chunk(out, 1, 0x8001, request(in), 6);
                    out.writeInt(0);
                    out.writeShort(0);
                }),
                fault("error with lying text", "malformed", (in, out) -> {
                    chunk(out, 1, 0x8001, request(in), 6);
                    out.writeInt(5);
                    out.writeShort(1);
                }),
                fault("endless error", "type 32769", (in, out) -> chunk(out, 1, 0x8001, request(in), 1 << 30)),
                fault("unknown chunk", "type 77", (in, out) -> chunk(out, 1, 77, request(in), 0)),
                fault("unknown error chunk", "EINVAL", (in, out) -> {
                    chunk(out, 1, 0x8077, request(in), 4);
                    out.writeInt(4711);
                }),
                fault("status instead of data", "block status", (in, out) -> {
                    chunk(out, 1, 5, request(in), 12);
                    out.write(new byte[12]);
                }),
                fault("garbage", "wrong magic", (in, out) -> {
                    request(in);
                    out.write(new byte[64]);
                }),
                fault("extended header unasked", "wrong magic", (in, out) -> {
                    request(in);
                    out.writeInt(Magic.EXTENDED_REPLY);
                    out.write(new byte[28]);
                }),
                fault("simple error", "EPERM", (in, out) -> {
                    long cookie = request(in);
                    out.writeInt(Magic.SIMPLE_REPLY);
                    out.writeInt(1);
                    out.writeLong(cookie);
                }),
                fault("cut in the middle", "closed", (in, out) -> {
                    chunk(out, 1, 1, request(in), 8 + 4096);
                    out.writeLong(0);
                    out.write(new byte[4000]);
                }));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("readFaults")
    void aFaultyReadIsAnError(String name, String words, ScriptedServer.Script script) throws IOException {
        try (ScriptedServer server = ScriptedServer.agreeing(script);
                RemoteDevice device = NbdClient.connect(server.uri(), OPTIONS)) {
            IOException failure = assertThrows(IOException.class, () -> device.read(0, ByteBuffer.allocate(4096)));
            String message = failure + " " + failure.getCause();
            assertTrue(message.contains(words), message);
        }
    }

    /** Faulty answers to a status request for the whole device. */
    static Stream<Arguments> statusFaults() {
        return Stream.of(
                fault("wrong context", "not asked for", (in, out) -> status(out, request(in), 6, 4096, 0)),
                fault("empty extent", "do not fit", (in, out) -> status(out, request(in), 5, 0, 0)),
                fault("beyond the device", "do not fit", (in, out) -> status(out, request(in), 5, ScriptedServer.SIZE + 1, 0)),
                fault("more than was asked", "do not fit", (in, out) -> status(out, request(in), 5, ScriptedServer.SIZE, 0, 1, 0)),
                fault("none", "leaves out", (in, out) -> chunk(out, 1, 0, request(in), 0)),
                fault("crooked length", "type 5", (in, out) -> chunk(out, 1, 5, request(in), 13)),
                fault("endless", "type 5", (in, out) -> chunk(out, 1, 5, request(in), Integer.MAX_VALUE / 8 * 8 + 4)));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("statusFaults")
    void aFaultyStatusIsAnError(String name, String words, ScriptedServer.Script script) throws IOException {
        try (ScriptedServer server = ScriptedServer.agreeing(script);
                RemoteDevice device = NbdClient.connect(server.uri(), OPTIONS)) {
            IOException failure = assertThrows(
                    IOException.class, () -> device.status("base:allocation", new ByteRange(0, ScriptedServer.SIZE)));
            assertTrue((failure + " " + failure.getCause()).contains(words), failure::toString);
        }
    }

    @Test
    void aShortStatusIsAskedForAgain() throws IOException {
        try (ScriptedServer server = ScriptedServer.agreeing((in, out) -> {
                    status(out, request(in), 5, 4096, 3);
                    status(out, request(in), 5, 4096, 3);
                    status(out, request(in), 5, ScriptedServer.SIZE - 8192, 0);
                    in.readAllBytes();
                });
                RemoteDevice device = NbdClient.connect(server.uri(), OPTIONS)) {
            assertEquals(
                    List.of(new StatusExtent(0, 8192, 3), new StatusExtent(8192, ScriptedServer.SIZE - 8192, 0)),
                    device.status("base:allocation", new ByteRange(0, ScriptedServer.SIZE)));
        }
    }

    @Test
    void repliesInAnyOrderAndPiecesAreTaken() throws IOException {
        try (ScriptedServer server = ScriptedServer.agreeing((in, out) -> {
                    long cookie = request(in);
                    data(out, 0, cookie, 3000, 1096);
                    hole(out, 0, cookie, 0, 1000);
                    hole(out, 0, cookie, 2000, 1000);
                    data(out, 0, cookie, 1000, 1000);
                    chunk(out, 1, 0, cookie, 0);
                    in.readAllBytes();
                });
                RemoteDevice device = NbdClient.connect(server.uri(), OPTIONS)) {
            byte[] before = new byte[4096];
            Arrays.fill(before, (byte) 1);
            ByteBuffer target = ByteBuffer.wrap(before);
            device.read(0, target);
            assertEquals(ByteBuffer.allocate(4096), target.flip());
        }
    }

    @Test
    void silenceEndsWithTheRequestsTime() throws IOException {
        ClientOptions impatient = OPTIONS.withRequestTime(Duration.ofMillis(200));
        try (ScriptedServer server = ScriptedServer.agreeing((in, out) -> in.readAllBytes());
                RemoteDevice device = NbdClient.connect(server.uri(), impatient)) {
            IOException failure = assertThrows(IOException.class, () -> device.read(0, ByteBuffer.allocate(512)));
            assertTrue(failure.getMessage().contains("does not answer READ at 0 of 512 bytes"), failure::getMessage);
            assertThrows(IOException.class, () -> device.read(0, ByteBuffer.allocate(512)), "the connection is given up");
        }
    }

    @Test
    void anInterruptedReadEndsAndItsBufferIsLeftAlone() throws Exception {
        try (ScriptedServer server = ScriptedServer.agreeing((in, out) -> {
                    long first = request(in);
                    long second = request(in);
                    chunk(out, 1, 1, first, 8 + 512);
                    out.writeLong(0);
                    byte[] ones = new byte[512];
                    Arrays.fill(ones, (byte) 1);
                    out.write(ones);
                    data(out, 1, second, 0, 512);
                    in.readAllBytes();
                });
                RemoteDevice device = NbdClient.connect(server.uri(), OPTIONS)) {
            ByteBuffer abandoned = ByteBuffer.allocate(512);
            Thread reader = Thread.ofPlatform().start(() -> assertThrows(IOException.class, () -> device.read(0, abandoned)));
            Await.until("the read to wait", () -> reader.getState() == Thread.State.TIMED_WAITING);
            reader.interrupt();
            reader.join();
            device.read(0, ByteBuffer.allocate(512));
            assertEquals(ByteBuffer.allocate(512), abandoned.clear());
        }
    }

    /** Faulty handshakes. */
    static Stream<Arguments> handshakeFaults() {
        return Stream.of(
                fault("not a server", "not an NBD server", (in, out) -> out.writeBytes("SSH-2.0-something or other")),
                fault("old style", "old handshake", (in, out) -> {
                    out.writeLong(Magic.GREETING);
                    out.writeLong(0x00420281861253L);
                    out.writeLong(0);
                }),
                fault("silent end", "closed", (in, out) -> {}),
                fault("wrong reply magic", "wrong magic", (in, out) -> {
                    greet(in, out);
                    out.write(new byte[20]);
                }),
                fault("endless reply", "bytes", (in, out) -> {
                    greet(in, out);
                    out.writeLong(Magic.OPTION_REPLY);
                    out.writeInt(11);
                    out.writeInt(1);
                    out.writeInt(-1);
                }),
                fault("reply to something else", "not sent", (in, out) -> {
                    greet(in, out);
                    reply(out, 7, 1);
                }),
                fault("no export", "there is nothing", (in, out) -> {
                    greet(in, out);
                    reply(out, 11, 0x80000001);
                    reply(out, 8, 0x80000001);
                    reply(out, 7, 0x80000006, "there is nothing".getBytes(java.nio.charset.StandardCharsets.US_ASCII));
                    in.readAllBytes();
                }),
                fault("negative size", "size", (in, out) -> {
                    greet(in, out);
                    reply(out, 11, 0x80000001);
                    reply(out, 8, 0x80000001);
                    reply(out, 7, 3, new byte[] {0, 0, -1, 0, 0, 0, 0, 0, 0, 0, 0, 1});
                    reply(out, 7, 1);
                    in.readAllBytes();
                }),
                fault("crooked block size", "make no sense", (in, out) -> {
                    greet(in, out);
                    reply(out, 11, 0x80000001);
                    reply(out, 8, 0x80000001);
                    reply(out, 7, 3, new byte[] {0, 3, 0, 0, 0, 3, 0, 0, 16, 0, 0, 32, 0, 0});
                    reply(out, 7, 1);
                    in.readAllBytes();
                }));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("handshakeFaults")
    void aFaultyHandshakeIsAnError(String name, String words, ScriptedServer.Script script) throws IOException {
        try (ScriptedServer server = ScriptedServer.from(script)) {
            IOException failure = assertThrows(IOException.class, () -> NbdClient.connect(server.uri(), OPTIONS));
            assertTrue(failure.getMessage().contains(words), failure::getMessage);
        }
    }

    @Test
    void aSilentHandshakeEndsInTime() throws IOException {
        ClientOptions impatient = OPTIONS.withNegotiationTime(Duration.ofMillis(200));
        try (ScriptedServer server = ScriptedServer.from((in, out) -> in.readAllBytes())) {
            IOException failure = assertThrows(IOException.class, () -> NbdClient.connect(server.uri(), impatient));
            assertTrue(failure.getMessage().contains("does not answer during the handshake"), failure::getMessage);
        }
    }

    @Test
    void tlsIsNeverGivenUp() throws IOException {
        try (ScriptedServer server = ScriptedServer.from((in, out) -> {
            greet(in, out);
            reply(out, 5, 0x80000001);
            in.readAllBytes();
        })) {
            var uri = new NbdUri(
                    true, server.uri().place(), "e", Optional.empty(), Optional.empty());
            IOException failure = assertThrows(IOException.class, () -> NbdClient.connect(uri, OPTIONS));
            assertTrue(failure.getMessage().contains("refused STARTTLS"), failure::getMessage);
        }
    }

    @Test
    void nobodyListeningIsSaidInOneSentence() throws IOException {
        NbdUri uri;
        try (ServerSocket unused = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            uri = NbdUri.tcp("127.0.0.1", unused.getLocalPort(), "e");
        }
        IOException failure = assertThrows(IOException.class, () -> NbdClient.connect(uri, OPTIONS));
        assertTrue(failure.getMessage().startsWith("cannot use " + uri + ": cannot connect to 127.0.0.1:"), failure::getMessage);
    }

    @Test
    void whoeverLetsNobodyInIsNotWaitedForWithoutEnd() throws IOException {
        List<SocketChannel> queue = new ArrayList<>();
        try (ServerSocket full = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            // Nobody accepts, so that the last of these wait already.
            for (int i = 0; i < 8; i++) {
                SocketChannel waiting = SocketChannel.open();
                queue.add(waiting);
                waiting.configureBlocking(false);
                waiting.connect(full.getLocalSocketAddress());
            }
            NbdUri uri = NbdUri.tcp("127.0.0.1", full.getLocalPort(), "e");
            ClientOptions hurried = OPTIONS.withConnectTime(Duration.ofMillis(1500));
            IOException failure = assertThrows(IOException.class, () -> NbdClient.connect(uri, hurried));
            assertEquals("cannot use " + uri + ": cannot connect to 127.0.0.1:" + full.getLocalPort() + ": no answer within 1500 ms", failure.getMessage());
        } finally {
            for (SocketChannel waiting : queue) {
                waiting.close();
            }
        }
    }

    private static void status(java.io.DataOutputStream out, long cookie, int context, int... lengthsAndFlags) throws IOException {
        chunk(out, 1, 5, cookie, 4 + 4 * lengthsAndFlags.length);
        out.writeInt(context);
        for (int value : lengthsAndFlags) {
            out.writeInt(value);
        }
    }

    private static void greet(java.io.DataInputStream in, java.io.DataOutputStream out) throws IOException {
        out.writeLong(Magic.GREETING);
        out.writeLong(Magic.OPTION);
        out.writeShort(3);
        in.readInt();
    }
}
