package io.afterimage.capture.qemu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** What a QEMU that has dropped its unstable words would answer; the real one is in the integration tests. */
class PushTest {

    private static final Duration PATIENCE = Duration.ofSeconds(20);

    @TempDir
    Path folder;

    private final List<JsonNode> asked = new CopyOnWriteArrayList<>();

    @FunctionalInterface
    private interface Attempt {
        void begin(QmpClient client) throws IOException;
    }

    /** @param refusals what QEMU says to the first commands; it does the next one */
    private void serve(List<String> refusals, Attempt attempt) throws IOException {
        Path socket = folder.resolve("qmp.sock");
        try (var _ = new QmpPeer(socket, peer -> {
                    peer.negotiate();
                    for (String refusal : refusals) {
                        int refused = receive(peer);
                        peer.send("{\"error\": {\"class\": \"GenericError\", \"desc\": \"%s\"}, \"id\": %d}\r\n".formatted(refusal, refused));
                    }
                    peer.send("{\"return\": {}, \"id\": %d}\r\n".formatted(receive(peer)));
                    QmpPeer.hold(peer);
                });
                QmpClient client = QmpClient.connect(socket, PATIENCE)) {
            attempt.begin(client);
        }
    }

    private int receive(QmpPeer.Connection peer) {
        JsonNode command = JsonMapper.shared().readTree(peer.receive());
        asked.add(command.path("arguments"));
        return command.path("id").asInt();
    }

    @Test
    void fewPiecesAreUnderWayWhereAGuestIsYieldedTo() throws IOException {
        serve(List.of(), client -> Push.begin(client, QmpClient.arguments().put("device", "a"), true));
        assertEquals("[{\"device\":\"a\",\"x-perf\":{\"max-workers\":4}}]", asked.toString());
    }

    @Test
    void whereItIsNotYieldedToQemuIsToldNothing() throws IOException {
        serve(List.of(), client -> Push.begin(client, QmpClient.arguments().put("device", "a"), false));
        assertEquals("[{\"device\":\"a\"}]", asked.toString());
    }

    @Test
    void aQemuThatKnowsNoWordForItPushesAllTheSame() throws IOException {
        serve(List.of("Parameter 'x-perf' is unexpected"), client -> Push.begin(client, QmpClient.arguments().put("device", "a"), true));
        assertEquals("{\"device\":\"a\"}", asked.getLast().toString());
    }

    @Test
    void whatItRefusesForAnotherReasonItRefuses() {
        QmpCommandException refusal = assertThrows(QmpCommandException.class, () -> serve(
                List.of("Cannot find device='a'", "Cannot find device='a'"), client -> Push.begin(client, QmpClient.arguments().put("device", "a"), true)));
        assertEquals("Cannot find device='a'", refusal.description());
    }
}
