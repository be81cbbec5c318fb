package io.afterimage.capture.qemu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What a peer may do to us; the real QEMU is in the integration tests. */
class QmpClientTest {

    private static final Duration SHORT = Duration.ofMillis(200);
    private static final Duration LONG = Duration.ofSeconds(20);

    @TempDir
    Path folder;

    private Path socket() {
        return folder.resolve("qmp.sock");
    }

    private String refusal(QmpPeer.Script script, Duration timeout) throws IOException {
        try (var _ = new QmpPeer(socket(), script)) {
            return assertThrows(QmpException.class, () -> QmpClient.connect(socket(), timeout)).getMessage();
        }
    }

    @Test
    void aMissingSocketIsNamed() {
        String message = assertThrows(QmpException.class, () -> QmpClient.connect(socket(), LONG)).getMessage();
        assertTrue(message.startsWith("There is no QMP socket " + socket()), message);
    }

    @Test
    void aSocketWithoutItsServerIsNamed() throws IOException {
        try (var server = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
            server.bind(UnixDomainSocketAddress.of(socket()));
        }
        assertTrue(Files.exists(socket()));
        String message = assertThrows(QmpException.class, () -> QmpClient.connect(socket(), LONG)).getMessage();
        assertTrue(message.startsWith("Nothing listens on " + socket()), message);
    }

    @Test
    void aPlainFileIsNotASocket() throws IOException {
        Files.writeString(socket(), "x");
        String message = assertThrows(QmpException.class, () -> QmpClient.connect(socket(), LONG)).getMessage();
        assertTrue(message.contains(socket().toString()), message);
    }

    @Test
    void aServerThatDoesNotGreetMayServeAnotherClient() throws IOException {
        String message = refusal(QmpPeer::hold, SHORT);
        assertTrue(message.startsWith("No QMP greeting on " + socket()), message);
        assertTrue(message.contains("another program holds it"), message);
    }

    @ParameterizedTest
    @ValueSource(strings = {
        "QEMU 7.2.22 monitor - type 'help' for more information\r\n(qemu) ",
        "NBDMAGICIHAVEOPT",
        "{\"hello\": 1}\n",
        "{not json}\n",
        "\u00e4\n",
        "{\"QMP\": ",
    })
    void otherServersAreRecognised(String greeting) throws IOException {
        String message = refusal(peer -> peer.send(greeting), LONG);
        assertTrue(message.contains(socket().toString()), message);
        assertFalse(message.contains("greeting on"), message);
    }

    @Test
    void anEndlessLineIsCutShort() throws IOException {
        String message = refusal(peer -> {
            peer.send("{");
            String blanks = " ".repeat(1 << 20);
            while (true) {
                peer.send(blanks);
            }
        }, LONG);
        assertTrue(message.contains("a line of more than " + QmpLines.MAX_LINE), message);
    }

    @Test
    void nestingWithoutEndIsRefused() throws IOException {
        String message = refusal(peer -> {
            peer.send("{\"QMP\":" + "[".repeat(100_000) + "\n");
            QmpPeer.hold(peer);
        }, LONG);
        assertTrue(message.contains("does not speak QMP"), message);
    }

    @Test
    void anErrorKeepsItsClassAndWords() throws IOException {
        try (var _ = new QmpPeer(socket(), connection -> {
                    connection.negotiate();
                    connection.receive();
                    connection.send("{\"id\": 2, \"error\": {\"class\": \"DeviceNotFound\", \"desc\": \"no 'x'\"}}\n");
                    QmpPeer.hold(connection);
                });
                QmpClient client = QmpClient.connect(socket(), LONG)) {
            var e = assertThrows(QmpCommandException.class, () -> client.execute("blockdev-del"));
            assertEquals("DeviceNotFound", e.errorClass());
            assertEquals("no 'x'", e.description());
            assertEquals("blockdev-del", e.command());
            assertTrue(client.isOpen());
        }
    }

    @Test
    void anAnswerThatComesTooLateHarmsNobody() throws IOException {
        var tooLate = new CountDownLatch(1);
        try (var _ = new QmpPeer(socket(), connection -> {
                    connection.negotiate();
                    connection.receive();
                    tooLate.countDown();
                    connection.receive();
                    connection.send("{\"return\": \"late\", \"id\": 2}\n{\"return\": \"in time\", \"id\": 3}\n");
                    QmpPeer.hold(connection);
                });
                QmpClient client = QmpClient.connect(socket(), LONG)) {
            String message = assertThrows(QmpException.class, () -> client.execute("query-block", QmpClient.arguments(), SHORT))
                    .getMessage();
            assertTrue(message.startsWith("QEMU did not answer 'query-block'"), message);
            assertEquals(0, tooLate.getCount());
            assertEquals("in time", client.execute("query-name").asString());
        }
    }

    @Test
    void aLostConnectionEndsEveryWait() throws IOException {
        try (var _ = new QmpPeer(socket(), connection -> {
                    connection.negotiate();
                    connection.send("{\"event\": \"SHUTDOWN\", \"data\": {\"guest\": true}}\n");
                    connection.receive();
                });
                QmpClient client = QmpClient.connect(socket(), LONG);
                QmpEvents events = client.subscribe(event -> event.name().equals("NEVER"))) {
            assertThrows(QmpException.class, () -> client.execute("query-block", QmpClient.arguments(), LONG));
            assertFalse(client.isOpen());
            assertThrows(QmpException.class, () -> events.poll(LONG));
            assertThrows(QmpException.class, () -> client.execute("query-block"));
        }
    }

    @Test
    void anEventBetweenSubscriptionAndWaitIsNotLost() throws IOException {
        try (var _ = new QmpPeer(socket(), connection -> {
                    connection.negotiate();
                    connection.receive();
                    connection.send("{\"event\": \"STOP\"}\n{\"event\": \"RESUME\", \"data\": {\"n\": 7}}\n{\"return\": {}, \"id\": 2}\n");
                    QmpPeer.hold(connection);
                });
                QmpClient client = QmpClient.connect(socket(), LONG);
                QmpEvents events = client.subscribe(event -> true)) {
            client.execute("stop");
            QmpEvent resumed = events.await("a resume", event -> event.name().equals("RESUME"), LONG);
            assertEquals(7, resumed.data().path("n").asInt());
            assertEquals(Optional.empty(), events.poll(Duration.ofMillis(1)));
            assertThrows(QmpException.class, () -> events.await("a reset", event -> event.name().equals("RESET"), SHORT));
        }
    }

    @Test
    void aMessageThatIsNoAnswerEndsTheConnection() throws IOException {
        try (var _ = new QmpPeer(socket(), connection -> {
                    connection.negotiate();
                    connection.receive();
                    connection.send("{\"return\": {}}\n");
                    QmpPeer.hold(connection);
                });
                QmpClient client = QmpClient.connect(socket(), LONG)) {
            assertThrows(QmpException.class, () -> client.execute("query-block"));
            assertFalse(client.isOpen());
        }
    }

    @Test
    void anInterruptEndsAWait() throws Exception {
        try (var _ = new QmpPeer(socket(), connection -> {
                    connection.negotiate();
                    QmpPeer.hold(connection);
                });
                QmpClient client = QmpClient.connect(socket(), LONG)) {
            Thread.currentThread().interrupt();
            assertThrows(IOException.class, () -> client.execute("query-block"));
            assertTrue(Thread.interrupted());
        }
    }
}
