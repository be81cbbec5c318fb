package io.afterimage.capture.qemu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.afterimage.capture.agent.AgentException;
import io.afterimage.capture.agent.AgentPeer;
import io.afterimage.capture.agent.GuestAgent;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** However an agent behaves, its guest is thawed in the end, and nobody believes that it was frozen when it was not. */
class FrozenGuestTest {

    private static final Duration LONG = Duration.ofSeconds(30);
    private static final int FILE_SYSTEMS = 3;

    @TempDir
    Path folder;

    private Path socket() {
        return folder.resolve("agent.sock");
    }

    private GuestAgent agent() throws AgentException {
        return GuestAgent.connect(socket());
    }

    /** Tells when it has thawed the guest. */
    private static class Watched extends AgentPeer {

        private final CountDownLatch thawed = new CountDownLatch(1);

        Watched(Path socket) throws IOException {
            super(socket, FILE_SYSTEMS);
        }

        @Override
        protected String answer(String command) throws IOException {
            String answer = super.answer(command);
            if (command.equals("guest-fsfreeze-thaw")) {
                thawed.countDown();
            }
            return answer;
        }

        void awaitThaw() throws InterruptedException {
            assertTrue(thawed.await(LONG.toSeconds(), TimeUnit.SECONDS));
            assertFalse(isFrozen());
        }
    }

    @Test
    void isFrozenUntilThawed() throws IOException {
        try (var peer = new Watched(socket())) {
            FrozenGuest guest = FrozenGuest.freeze(this::agent, LONG);
            assertEquals(FILE_SYSTEMS, guest.count());
            assertTrue(peer.isFrozen());
            guest.thaw();
            assertFalse(peer.isFrozen());
        }
    }

    @Test
    void isThawedWhenTheTimeIsOver() throws Exception {
        try (var peer = new Watched(socket())) {
            FrozenGuest guest = FrozenGuest.freeze(this::agent, Duration.ofSeconds(3));
            peer.awaitThaw();
            String message = assertThrows(AgentException.class, guest::thaw).getMessage();
            assertTrue(message.startsWith("the guest was thawed after 3 s"), message);
        }
    }

    /** The answer comes when nobody waits for it any more; the thaw was with the agent by then. */
    @Test
    void aFreezeThatComesTooLateIsUndone() throws Exception {
        var late = new CountDownLatch(1);
        try (var peer = new Watched(socket()) {
            @Override
            protected String answer(String command) throws IOException {
                if (command.equals("guest-fsfreeze-freeze")) {
                    try {
                        late.await();
                    } catch (InterruptedException e) {
                        throw new IOException(e);
                    }
                }
                return super.answer(command);
            }
        }) {
            Thread.ofVirtual().start(() -> {
                try {
                    TimeUnit.SECONDS.sleep(3); // longer than the freeze may take, shorter than the thaw is waited for
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                }
                late.countDown();
            });
            assertThrows(AgentException.class, () -> FrozenGuest.freeze(this::agent, Duration.ofMillis(300)));
            peer.awaitThaw();
            assertEquals(List.of("guest-fsfreeze-freeze", "guest-fsfreeze-thaw"), peer.done());
        }
    }

    /** Freezes, and then has something else to say. */
    @Test
    void aFreezeWithANonsensicalAnswerIsUndone() throws Exception {
        try (var peer = new Watched(socket()) {
            @Override
            protected String answer(String command) throws IOException {
                String answer = super.answer(command);
                return command.equals("guest-fsfreeze-freeze") ? "done!" : answer;
            }
        }) {
            assertThrows(AgentException.class, () -> FrozenGuest.freeze(this::agent, LONG));
            peer.awaitThaw();
        }
    }

    @Test
    void anAgentThatHasThawedInSecretIsFoundOut() throws IOException {
        try (var peer = new Watched(socket())) {
            FrozenGuest guest = FrozenGuest.freeze(this::agent, LONG);
            peer.setFrozen(false);
            String message = assertThrows(AgentException.class, guest::thaw).getMessage();
            assertTrue(message.startsWith("of 3 file systems that the guest agent had frozen, only 0"), message);
        }
    }

    /** It drops its client with the answer to the first thaw: another connection is tried. */
    @Test
    void aLostConnectionDoesNotLeaveTheGuestFrozen() throws Exception {
        try (var peer = new Watched(socket()) {
            private boolean dropped;

            @Override
            protected String answer(String command) throws IOException {
                if (command.equals("guest-fsfreeze-thaw") && !dropped) {
                    dropped = true;
                    throw new IOException("the port is reset");
                }
                return super.answer(command);
            }
        }) {
            FrozenGuest.freeze(this::agent, LONG).thaw();
            peer.awaitThaw();
        }
    }
}
