package io.afterimage.capture.qemu;

import io.afterimage.capture.agent.AgentException;
import io.afterimage.capture.agent.GuestAgent;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;
import java.util.stream.Stream;
import tools.jackson.databind.JsonNode;

/**
 * Takes one cut's traces out of QEMU, in the reverse order of their making, all but the bitmaps. It goes by what QEMU says is
 * there, so it may be run at any time, by anybody, again and again; whatever fails does not keep it from the next step.
 */
final class Teardown {

    private static final Duration STEP_TIMEOUT = Duration.ofSeconds(20);
    private static final Duration CLIENTS_TIMEOUT = Duration.ofSeconds(5);

    /** /proc/net/unix: Num RefCount Protocol Flags Type St Inode Path; the path may hold blanks. */
    private static final int UNIX_FIELDS = 8;
    private static final int UNIX_STATE = 5;
    private static final String UNIX_CONNECTED = "03";

    private final QmpClient client;
    private final CutNames names;
    private final Collection<Path> folders;
    private final List<String> left = new ArrayList<>();

    /** @param folders those of the cut: one, as a rule */
    Teardown(QmpClient client, CutNames names, Collection<Path> folders) {
        this.client = client;
        this.names = names;
        this.folders = folders;
    }

    /** Returns what could not be removed, a sentence each; empty when nothing is left. */
    List<String> run() {
        left.clear();
        try {
            for (Step step : List.<Step>of(this::thawGuest, this::removeExports, this::stopServer, this::endJobs, this::removeNodes)) {
                attempt(step);
            }
        } catch (NoAnswerException e) {
            left.add(e.getMessage());
        }
        if (left.isEmpty() || qemuIsGone()) {
            left.clear();
            try {
                for (Path folder : folders) {
                    ScratchFolder.delete(folder);
                }
            } catch (IOException e) {
                left.add("Scratch was not deleted: " + e);
            }
        }
        return List.copyOf(left);
    }

    private void attempt(Step step) throws NoAnswerException {
        try {
            step.run();
        } catch (NoAnswerException e) {
            throw e; // every further step would wait as long, in vain
        } catch (IOException e) {
            left.add(e.getMessage());
        }
    }

    /** First of all, since it hurts the most. */
    private void thawGuest() throws IOException {
        for (Path folder : folders) {
            Optional<String> agent = ScratchFolder.frozen(folder);
            if (agent.isPresent()) {
                try {
                    FrozenGuest.thaw(() -> GuestAgent.connect(Path.of(agent.get())));
                } catch (AgentException e) {
                    throw new QmpException("The guest may still be frozen, since " + e.getMessage()
                            + ": give its agent the command guest-fsfreeze-thaw, or restart it", e);
                }
                ScratchFolder.noteThawed(folder);
            }
        }
    }

    private void removeExports() throws IOException {
        for (JsonNode export : owned(client.execute("query-block-exports"), "id")) {
            // hard: a reader that still hangs on must not keep the guest under copy-before-write
            ignoreRefusal("block-export-del", "id", export.path("id").asString(""), "mode", "hard");
        }
        client.awaitState("remove the exports of the cut " + names.shortId(), STEP_TIMEOUT,
                () -> owned(client.execute("query-block-exports"), "id").isEmpty());
    }

    /** Stops the server if it is ours; it is left alone when others have put exports on it. */
    private void stopServer() throws IOException {
        for (Path folder : folders) {
            if (!serves(folder)) {
                continue;
            }
            boolean shared = client.execute("query-block-exports").valueStream()
                    .anyMatch(export -> export.path("type").asString("").equals("nbd"));
            if (shared) {
                throw new QmpException("Another program uses the NBD server that a backup started in QEMU; it is left running");
            }
            // Readers are gone with their exports. But with one that stands in the middle of its handshake, some QEMUs never
            // return from the stop, and the guest with them, and older ones crash.
            Path socket = ScratchFolder.nbdSocket(folder);
            client.awaitState("see off a client that holds a connection to its NBD server, which is left running", CLIENTS_TIMEOUT,
                    () -> connections(socket) == 0);
            client.execute("nbd-server-stop");
        }
    }

    /** Connections that a server on this host has accepted on a unix socket; the kernel's table has them by the server's path. */
    private static long connections(Path socket) throws IOException {
        try (Stream<String> lines = Files.lines(Path.of("/proc/net/unix"))) {
            return lines.map(line -> line.split("\\s+", UNIX_FIELDS))
                    .filter(fields -> fields.length == UNIX_FIELDS
                            && fields[UNIX_STATE].equals(UNIX_CONNECTED)
                            && fields[UNIX_FIELDS - 1].equals(socket.toString()))
                    .count();
        }
    }

    /**
     * Whether QEMU's NBD server listens in a cut's folder. QEMU cannot be asked for its server's address. It removes the socket
     * when it stops the server, but not when it is killed: so the socket counts only if it was made in the life of this QEMU,
     * which shows by a node of the cut, or by the monitor's socket being older. Trying to connect is no way to find out: some
     * QEMUs crash when a client is around while the server stops.
     */
    private boolean serves(Path folder) throws IOException {
        Path socket = ScratchFolder.nbdSocket(folder);
        return Files.exists(socket)
                && (!ownNodes().isEmpty()
                        || Files.getLastModifiedTime(socket).compareTo(Files.getLastModifiedTime(client.socket())) > 0);
    }

    private void endJobs() throws IOException {
        boolean guestStopped = guestStoppedForSpace();
        var cancelled = new HashSet<String>();
        client.awaitState("end the backup jobs of the cut " + names.shortId(), STEP_TIMEOUT, () -> {
            List<JsonNode> jobs = owned(client.execute("query-jobs"), "id");
            for (JsonNode job : jobs) {
                String id = job.path("id").asString("");
                if (job.path("status").asString("").equals("concluded")) {
                    ignoreRefusal("job-dismiss", "id", id);
                } else if (cancelled.add(id)) {
                    ignoreRefusal("job-cancel", "id", id);
                }
            }
            return jobs.isEmpty();
        });
        if (guestStopped) {
            client.execute("cont"); // with the filter gone, the write that found no space succeeds
        }
    }

    /** Whether the guest stands still for want of space while a job of ours may be what wants it. */
    private boolean guestStoppedForSpace() throws IOException {
        return client.execute("query-status").path("status").asString("").equals("io-error")
                && !owned(client.execute("query-jobs"), "id").isEmpty()
                && client.execute("query-block").valueStream()
                        .anyMatch(device -> device.path("io-status").asString("").equals("nospace"));
    }

    private void removeNodes() throws IOException {
        Predicate<String> isView = node -> node.contains("-view");
        client.awaitState("remove the scratch nodes of the cut " + names.shortId(), STEP_TIMEOUT, () -> {
            List<String> nodes = ownNodes();
            // A view holds its file; while a job winds up, both are refused for a moment.
            for (String view : nodes.stream().filter(isView).toList()) {
                ignoreRefusal("blockdev-del", "node-name", view);
            }
            for (String file : nodes.stream().filter(isView.negate()).toList()) {
                ignoreRefusal("blockdev-del", "node-name", file);
            }
            return nodes.isEmpty() || ownNodes().isEmpty();
        });
    }

    private List<String> ownNodes() throws IOException {
        return BlockGraph.query(client).nodes().stream().map(BlockNode::name).filter(names::own).toList();
    }

    private List<JsonNode> owned(JsonNode list, String key) {
        return list.valueStream().filter(entry -> names.own(entry.path(key).asString(""))).toList();
    }

    /** Runs a command that is refused when somebody was quicker; the state that is looked at afterwards tells. */
    private void ignoreRefusal(String command, String... arguments) throws IOException {
        var object = QmpClient.arguments();
        for (int i = 0; i < arguments.length; i += 2) {
            object.put(arguments[i], arguments[i + 1]);
        }
        try {
            client.execute(command, object);
        } catch (QmpCommandException e) {
            // as said
        }
    }

    private boolean qemuIsGone() {
        try {
            return !ScratchFolder.accepts(client.socket());
        } catch (IOException e) {
            return false;
        }
    }

    @FunctionalInterface
    private interface Step {
        void run() throws IOException;
    }
}
