package io.afterimage.capture.agent;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What an agent does not tell is left out. */
class GuestFactsTest {

    private static final Duration LONG = Duration.ofSeconds(20);

    @TempDir
    Path folder;

    @Test
    void whatIsKnownIsKept() throws IOException {
        Path socket = folder.resolve("agent.sock");
        try (var peer = new AgentPeer(socket, 1) {
            @Override
            protected String answer(String command) throws IOException {
                return switch (command) {
                    case "guest-get-host-name" -> "{\"return\": {\"host-name\": \"web\"}}";
                    case "guest-get-osinfo" -> "nonsense";
                    default -> super.answer(command);
                };
            }
        }) {
            assertEquals(Optional.of("{\"host-name\":{\"host-name\":\"web\"}}"), GuestFacts.read(socket, LONG));
            assertEquals(List.of("guest-get-osinfo", "guest-get-host-name", "guest-get-timezone", "guest-get-fsinfo"), peer.done());
        }
    }

    @Test
    void anAgentThatIsSilentOrAbsentTellsNothing() throws IOException {
        Path socket = folder.resolve("agent.sock");
        assertEquals(Optional.empty(), GuestFacts.read(socket, LONG));
        try (var peer = new AgentPeer(socket, 1) {
            @Override
            protected byte[] sync(String id) {
                return null;
            }
        }) {
            assertEquals(Optional.empty(), GuestFacts.read(socket, Duration.ofMillis(200)));
            assertTrue(peer.done().isEmpty());
        }
    }
}
