package io.afterimage.capture.agent;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What an agent may do to us; the real one is in the integration tests. */
class GuestAgentTest {

    private static final Duration SHORT = Duration.ofMillis(200);
    private static final Duration LONG = Duration.ofSeconds(20);

    @TempDir
    Path folder;

    private Path socket() {
        return folder.resolve("agent.sock");
    }

    private String refusal(Duration limit) throws IOException {
        try (GuestAgent agent = GuestAgent.connect(socket())) {
            return assertThrows(AgentException.class, () -> {
                agent.awaitAnswer(limit);
                agent.freeze(limit);
            }).getMessage();
        }
    }

    @Test
    void freezesAndThaws() throws IOException {
        try (AgentPeer peer = new AgentPeer(socket(), 2);
                GuestAgent agent = GuestAgent.connect(socket())) {
            agent.awaitAnswer(LONG);
            assertEquals(2, agent.freeze(LONG));
            assertTrue(peer.isFrozen());
            assertEquals(2, agent.thaw(LONG));
            assertEquals(0, agent.thaw(LONG));
            assertFalse(peer.isFrozen());
        }
    }

    @Test
    void aMissingSocketIsNamed() {
        String message = assertThrows(AgentException.class, () -> GuestAgent.connect(socket())).getMessage();
        assertTrue(message.startsWith("there is no guest agent socket " + socket()), message);
    }

    /** Answers to an earlier client, half lines, and what only looks like the answer to ours. */
    @ParameterizedTest
    @ValueSource(strings = {"{\"return\": 7}\n", "{\"return\"", "\u00ff{\"return\": 1}\n\n\u00ff\u00ff{not json}\n{\"return\": {}}\n", "garbage \u0000\u0001\n\n"})
    void oldLinesArePassedOver(String before) throws IOException {
        try (AgentPeer _ = new AgentPeer(socket(), 1) {
            @Override
            protected String greeting() {
                return before;
            }
        };
                GuestAgent agent = GuestAgent.connect(socket())) {
            agent.awaitAnswer(LONG);
            assertEquals(1, agent.freeze(LONG));
        }
    }

    /** It is sent nothing that it might do when it comes to life. */
    @Test
    void anAgentThatIsNotThereIsNotToldToFreeze() throws IOException {
        try (AgentPeer peer = new AgentPeer(socket(), 1) {
            @Override
            protected byte[] sync(String id) {
                return null;
            }
        }) {
            assertTrue(refusal(SHORT).contains("does not answer in time"));
            assertEquals(List.of(), peer.done());
        }
    }

    @Test
    void anEndlessTalkerIsLeft() throws IOException {
        try (AgentPeer _ = new AgentPeer(socket(), 1) {
            @Override
            protected String greeting() {
                return "{\"return\": 1}\n".repeat(1 << 17);
            }

            @Override
            protected byte[] sync(String id) {
                return null;
            }
        }) {
            assertTrue(refusal(SHORT).contains("does not answer in time"));
        }
    }

    @Test
    void aLineWithoutEndIsLeft() throws IOException {
        try (AgentPeer _ = new AgentPeer(socket(), 1) {
            @Override
            protected String greeting() {
                return "x".repeat(AgentLines.MAX_LINE + 1);
            }
        }) {
            assertTrue(refusal(LONG).contains("sent a line of more than"));
        }
    }

    @Test
    void aGuestWithoutFileSystemsIsNotFrozen() throws IOException {
        try (AgentPeer _ = new AgentPeer(socket(), 0)) {
            assertTrue(refusal(LONG).contains("has frozen no file system"));
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"{\"error\": {\"desc\": \"no way\"}}", "no JSON", "{}", "[]", "17", "{\"return\": \"many\"}", "{\"error\": 3}"})
    void nonsenseIsNoFreeze(String nonsense) throws IOException {
        try (AgentPeer _ = new AgentPeer(socket(), 1) {
            @Override
            protected String answer(String command) {
                return nonsense;
            }
        }) {
            assertTrue(refusal(LONG).startsWith("the guest agent on " + socket()));
        }
    }
}
