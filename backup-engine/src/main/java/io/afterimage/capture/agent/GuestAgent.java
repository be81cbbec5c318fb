package io.afterimage.capture.agent;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.ThreadLocalRandom;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/**
 * A connection to the guest agent of one machine (QEMU's {@code docs/interop/qemu-ga-ref}). For one thread; every call ends within
 * the time that it is given.
 *
 * <p>The agent has no greeting and numbers no answers, and what an earlier client has asked for may still be on its way. So
 * each command is preceded by {@code guest-sync-delimited}: a byte 0xff makes the agent forget half a command, and its answer,
 * behind a 0xff of its own, tells that every line before it is an old one. The agent works on one command after
 * another: a call that got no answer is not undone by giving up, it may still happen.
 */
public final class GuestAgent implements Freezer {

    private static final byte DELIMITER = (byte) 0xff;
    private static final JsonMapper JSON = JsonMapper.shared();

    private final Path socket;
    private final AgentLines lines;

    private GuestAgent(Path socket, AgentLines lines) {
        this.socket = socket;
        this.lines = lines;
    }

    /** Connects, and does not yet know whether anybody answers. */
    public static GuestAgent connect(Path socket) throws AgentException {
        return new GuestAgent(socket, AgentLines.connect(socket));
    }

    @Override
    public void awaitAnswer(Duration limit) throws AgentException {
        long deadline = System.nanoTime() + limit.toNanos();
        long id = newId();
        lines.send(sync(id), deadline);
        awaitSync(id, deadline);
    }

    @Override
    public int freeze(Duration limit) throws AgentException {
        int count = call("guest-fsfreeze-freeze", limit).asInt(0);
        if (count < 1) {
            throw new AgentException("the guest agent on " + socket + " has frozen no file system: the guest has none that can be");
        }
        return count;
    }

    @Override
    public int thaw(Duration limit) throws AgentException {
        return call("guest-fsfreeze-thaw", limit).asInt(0);
    }

    /**
     * The answer to a command that changes nothing.
     *
     * @throws AgentException also when the agent does not know the command
     */
    JsonNode ask(String command, Duration limit) throws AgentException {
        return call(command, limit);
    }

    /** Synchronization and command go out together: a thaw must be with an agent that stands still now and comes back after we are gone. */
    private JsonNode call(String command, Duration limit) throws AgentException {
        long deadline = System.nanoTime() + limit.toNanos();
        long id = newId();
        var request = new ByteArrayOutputStream();
        request.writeBytes(sync(id));
        request.writeBytes(("{\"execute\":\"" + command + "\"}\n").getBytes(StandardCharsets.UTF_8));
        lines.send(request.toByteArray(), deadline);
        awaitSync(id, deadline);
        return parse(command, lines.next(deadline));
    }

    private static long newId() {
        return ThreadLocalRandom.current().nextLong(1L << 53);
    }

    private static byte[] sync(long id) {
        ObjectNode sync = JsonNodeFactory.instance.objectNode().put("execute", "guest-sync-delimited");
        sync.putObject("arguments").put("id", id);
        var bytes = new ByteArrayOutputStream();
        bytes.write(DELIMITER);
        bytes.writeBytes((sync + "\n").getBytes(StandardCharsets.UTF_8));
        return bytes.toByteArray();
    }

    private void awaitSync(long id, long deadline) throws AgentException {
        while (!answers(lines.next(deadline), id)) {
            // a line for somebody before us
        }
    }

    private static boolean answers(byte[] line, long id) {
        int delimiter = line.length - 1;
        while (delimiter >= 0 && line[delimiter] != DELIMITER) {
            delimiter--;
        }
        if (delimiter < 0) {
            return false;
        }
        try {
            JsonNode answer = JSON.readTree(line, delimiter + 1, line.length - delimiter - 1).path("return");
            return answer.isIntegralNumber() && answer.asLong() == id;
        } catch (JacksonException e) {
            return false;
        }
    }

    private JsonNode parse(String command, byte[] line) throws AgentException {
        JsonNode answer;
        try {
            answer = JSON.readTree(line);
        } catch (JacksonException e) {
            throw new AgentException("the guest agent on " + socket + " answered '" + command + "' with something that is not JSON", e);
        }
        JsonNode error = answer.path("error");
        if (!error.isMissingNode()) {
            throw new AgentException("the guest agent on " + socket + " refused '" + command + "': " + error.path("desc").asString("no reason given"));
        }
        if (!answer.has("return")) {
            throw new AgentException("the guest agent on " + socket + " answered '" + command + "' with neither a result nor an error");
        }
        return answer.get("return");
    }

    @Override
    public void close() throws IOException {
        lines.close();
    }
}
