package io.afterimage.capture.agent;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/** What a guest's agent tells of the system in it: its name, its version, its file systems. Not who is logged in. */
public final class GuestFacts {

    private static final Logger LOG = LoggerFactory.getLogger(GuestFacts.class);

    /** QEMU's names without {@code guest-get-}; the answers are kept under these. */
    private static final List<String> QUESTIONS = List.of("osinfo", "host-name", "timezone", "fsinfo");

    private GuestFacts() {}

    /**
     * Asks one after the other: an agent that does not know one, or may not tell, knows others.
     *
     * @param agent its socket
     * @param limit for all of it
     * @return a JSON object; empty when there is no agent, or it knows nothing
     */
    public static Optional<String> read(Path agent, Duration limit) {
        long deadline = System.nanoTime() + limit.toNanos();
        ObjectNode facts = JsonNodeFactory.instance.objectNode();
        try (GuestAgent connection = GuestAgent.connect(agent)) {
            connection.awaitAnswer(limit);
            for (String question : QUESTIONS) {
                Duration left = Duration.ofNanos(deadline - System.nanoTime());
                try {
                    facts.set(question, connection.ask("guest-get-" + question, left));
                } catch (AgentException e) {
                    LOG.debug("The guest's {} is not kept in the point: {}", question, e.getMessage());
                }
            }
        } catch (IOException e) {
            LOG.info("What the guest's agent knows is not kept in the point: {}", e.getMessage());
        }
        return facts.isEmpty() ? Optional.empty() : Optional.of(facts.toString());
    }
}
