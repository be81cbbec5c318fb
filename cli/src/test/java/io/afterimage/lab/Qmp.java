package io.afterimage.lab;

import java.io.Closeable;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.locks.LockSupport;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** The lab's own QMP client, with which tests see what a backup did to QEMU. Calls from several threads take turns. */
public final class Qmp implements Closeable {
    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final long PAUSE_NANOS = Duration.ofMillis(10).toNanos();
    private static final JsonMapper JSON = new JsonMapper();

    private final Wire wire;
    private final List<JsonNode> events = new ArrayList<>();

    private Qmp(Wire wire) {
        this.wire = wire;
    }

    /** An error that QEMU answered with. */
    public static final class Refused extends IllegalStateException {
        private static final long serialVersionUID = 1L;

        Refused(String request, JsonNode error) {
            super(request + ": " + error.path("desc").asString());
        }
    }

    static Qmp connect(Path socket) throws IOException {
        Wire wire = Wire.connect(socket);
        Qmp qmp = new Qmp(wire);
        wire.readLine(Deadline.in(PATIENCE));
        qmp.execute("qmp_capabilities");
        return qmp;
    }

    /** Takes part in a QEMU that a program starts with {@code -qmp unix:SOCKET,server=on,wait=off}, as soon as it listens. */
    public static Qmp join(Path socket, Process program) {
        Deadline deadline = Deadline.in(PATIENCE);
        while (true) {
            try {
                return connect(socket);
            } catch (IOException e) {
                if (!program.isAlive() || deadline.left().isZero()) {
                    throw new UncheckedIOException(e);
                }
                LockSupport.parkNanos(PAUSE_NANOS);
            }
        }
    }

    /** Has QEMU's human monitor execute a line, and returns what it answers. */
    public String monitor(String line) {
        return execute("human-monitor-command", JSON.writeValueAsString(Map.of("command-line", line))).asString();
    }

    /** Executes a command without arguments. */
    public JsonNode execute(String command) {
        return execute(command, "{}");
    }

    /**
     * Executes a command.
     *
     * @param arguments a JSON object
     * @return QEMU's {@code return} value
     * @throws Refused when QEMU answers with an error
     */
    public synchronized JsonNode execute(String command, String arguments) {
        Deadline deadline = Deadline.in(PATIENCE);
        String request = "{\"execute\":\"" + command + "\",\"arguments\":" + arguments + "}";
        try {
            wire.writeLine(request, deadline);
            while (true) {
                JsonNode message = JSON.readTree(wire.readLine(deadline));
                if (message.has("event")) {
                    events.add(message);
                } else if (message.has("error")) {
                    throw new Refused(request, message.get("error"));
                } else {
                    return message.get("return");
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException(command + ": " + e.getMessage(), e);
        }
    }

    /** Takes the oldest event of that name that was not taken yet, waiting for it if need be. */
    public synchronized JsonNode awaitEvent(String name, Duration patience) {
        Deadline deadline = Deadline.in(patience);
        try {
            while (true) {
                for (Iterator<JsonNode> seen = events.iterator(); seen.hasNext();) {
                    JsonNode event = seen.next();
                    if (event.path("event").asString().equals(name)) {
                        seen.remove();
                        return event;
                    }
                }
                events.add(JSON.readTree(wire.readLine(deadline)));
            }
        } catch (IOException e) {
            throw new UncheckedIOException("event " + name + ": " + e.getMessage(), e);
        }
    }

    @Override
    public void close() throws IOException {
        wire.close();
    }
}
