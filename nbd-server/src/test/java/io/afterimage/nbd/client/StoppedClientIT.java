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
import java.util.Collections;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** A client whose process is stopped for longer than it would wait, and is answered when it goes on. */
final class StoppedClientIT {

    /** Enough for a JVM on a busy machine to load what it needs meanwhile. */
    private static final Duration PATIENCE = Duration.ofSeconds(5);

    private static final Duration STOPPED = PATIENCE.plusSeconds(1);

    /** Enough for it to begin to wait, and to look at the clock. */
    private static final Duration BEGUN = Duration.ofMillis(500);

    /** More than a connection has in flight, so that the rest waits to be sent. */
    private static final int MANY = 40;

    private static final ScriptedServer.Script ANSWER = (in, out) -> ScriptedServer.data(out, 1, ScriptedServer.request(in), 0, 4096);

    private final CountDownLatch asked = new CountDownLatch(1);
    private final CountDownLatch mayAnswer = new CountDownLatch(1);

    /** The process that is stopped: reads 4096 bytes of an export, as often at once as it is told. */
    static final class Reader {

        private Reader() {}

        public static void main(String[] args) throws IOException, ExecutionException, InterruptedException {
            ClientOptions options = ClientOptions.DEFAULT
                    .withConnectTime(PATIENCE.dividedBy(2))
                    .withNegotiationTime(PATIENCE.dividedBy(2))
                    .withRequestTime(PATIENCE);
            try (RemoteDevice device = NbdClient.connect(NbdUri.parse(args[0]), options);
                    ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
                Callable<Void> read = () -> {
                    device.read(0, ByteBuffer.allocate(4096));
                    return null;
                };
                for (Future<Void> one : threads.invokeAll(Collections.nCopies(Integer.parseInt(args[1]), read))) {
                    one.get();
                }
            }
        }
    }

    @Test
    void inTheHandshake() throws IOException, InterruptedException {
        try (ScriptedServer server = ScriptedServer.from(afterTheStop(ScriptedServer.agreed(ANSWER)))) {
            readStopped(server, 1);
        }
    }

    @Test
    void inAHandshakeUntilTheServerHangsUp() throws IOException, InterruptedException {
        try (ScriptedServer server = ScriptedServer.from(afterTheStop((in, out) -> {}), ScriptedServer.agreed(ANSWER))) {
            readStopped(server, 1);
        }
    }

    @Test
    void inARead() throws IOException, InterruptedException {
        try (ScriptedServer server = ScriptedServer.agreeing(afterTheStop(ANSWER))) {
            readStopped(server, 1);
        }
    }

    @Test
    void beforeARead() throws IOException, InterruptedException {
        try (ScriptedServer server = ScriptedServer.agreeing(afterTheStop((in, out) -> {
            for (int i = 0; i < MANY; i++) {
                ANSWER.play(in, out);
            }
        }))) {
            readStopped(server, MANY);
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

    private void readStopped(ScriptedServer server, int reads) throws IOException, InterruptedException {
        Process reader = new ProcessBuilder(Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "--enable-native-access=ALL-UNNAMED", "-cp", System.getProperty("java.class.path"), Reader.class.getName(), server.uri().toString(), Integer.toString(reads))
                .redirectErrorStream(true)
                .start();
        try {
            assertTrue(asked.await(60, TimeUnit.SECONDS), "the reader did not come");
            Thread.sleep(BEGUN);
            Peer.run("kill", "-STOP", "" + reader.pid()).success();
            Thread.sleep(STOPPED);
            Peer.run("kill", "-CONT", "" + reader.pid()).success();
            // Not sooner, or it might see the answer before it sees how late it is.
            Thread.sleep(BEGUN);
            mayAnswer.countDown();
            String said = new String(reader.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            assertEquals(0, reader.waitFor(), said);
        } finally {
            reader.destroyForcibly().waitFor();
        }
    }
}
