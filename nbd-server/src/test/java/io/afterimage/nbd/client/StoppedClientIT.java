package io.afterimage.nbd.client;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.afterimage.nbd.Peer;
import io.afterimage.nbd.protocol.NbdUri;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** A client whose process is stopped for longer than it would wait, and which finds the answer there when it goes on, or asks again. */
final class StoppedClientIT {

    /** Enough for a JVM on a busy machine to load what it needs meanwhile. */
    private static final Duration PATIENCE = Duration.ofSeconds(5);

    private static final Duration STOPPED = PATIENCE.plusSeconds(1);
    private static final ScriptedServer.Script ANSWER = (in, out) -> ScriptedServer.data(out, 1, ScriptedServer.request(in), 0, 4096);

    private final CountDownLatch asked = new CountDownLatch(1);
    private final CountDownLatch mayAnswer = new CountDownLatch(1);

    /** The process that is stopped: reads 4096 bytes of an export. */
    static final class Reader {

        private Reader() {}

        public static void main(String[] args) throws IOException {
            ClientOptions options = ClientOptions.DEFAULT
                    .withConnectTime(PATIENCE.dividedBy(2))
                    .withNegotiationTime(PATIENCE.dividedBy(2))
                    .withRequestTime(PATIENCE);
            try (RemoteDevice device = NbdClient.connect(NbdUri.parse(args[0]), options)) {
                device.read(0, ByteBuffer.allocate(4096));
            }
        }
    }

    @Test
    void inTheHandshake() throws IOException, InterruptedException {
        try (ScriptedServer server = ScriptedServer.from(afterTheStop(ScriptedServer.agreed(ANSWER)))) {
            readStopped(server);
        }
    }

    @Test
    void inAHandshakeUntilTheServerHangsUp() throws IOException, InterruptedException {
        try (ScriptedServer server = ScriptedServer.from(afterTheStop((in, out) -> {}), ScriptedServer.agreed(ANSWER))) {
            readStopped(server);
        }
    }

    @Test
    void inARead() throws IOException, InterruptedException {
        try (ScriptedServer server = ScriptedServer.agreeing(afterTheStop(ANSWER))) {
            readStopped(server);
        }
    }

    private ScriptedServer.Script afterTheStop(ScriptedServer.Script script) {
        return (in, out) -> {
            asked.countDown();
            try {
                mayAnswer.await();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
            script.play(in, out);
        };
    }

    private void readStopped(ScriptedServer server) throws IOException, InterruptedException {
        Process reader = new ProcessBuilder(Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "--enable-native-access=ALL-UNNAMED", "-cp", System.getProperty("java.class.path"), Reader.class.getName(), server.uri().toString())
                .redirectErrorStream(true)
                .start();
        try {
            assertTrue(asked.await(60, TimeUnit.SECONDS), "the reader did not come");
            Peer.run("kill", "-STOP", "" + reader.pid()).success();
            Thread.sleep(STOPPED);
            mayAnswer.countDown();
            Peer.run("kill", "-CONT", "" + reader.pid()).success();
            String said = new String(reader.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            assertEquals(0, reader.waitFor(), said);
        } finally {
            reader.destroyForcibly().waitFor();
        }
    }
}
