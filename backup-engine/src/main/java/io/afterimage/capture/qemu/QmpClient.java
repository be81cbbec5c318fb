package io.afterimage.capture.qemu;

import java.io.Closeable;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.net.ConnectException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.UserPrincipal;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Predicate;
import jdk.net.ExtendedSocketOptions;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/**
 * One connection to a QEMU monitor that speaks QMP (QEMU's {@code docs/interop/qmp-spec}).
 *
 * <p>Thread-safe; commands of many threads may be under way at once. Every wait has an end: a QEMU that is stopped, or
 * whose storage hangs, costs a timeout and never a thread. After a timeout the connection stays usable, and whether the
 * command took effect is unknown.
 *
 * <p>The socket is the JDK's own: a channel that any thread can close under a blocked read, with no native library. One
 * thread reads, one writes; callers wait for neither the socket's buffer nor the peer.
 */
public final class QmpClient implements Closeable {

    /** For a command that only asks or changes tables: QEMU answers in milliseconds unless something is wrong. */
    public static final Duration DEFAULT_TIMEOUT = Duration.ofSeconds(30);

    /** How long to look away at most while waiting for a state whose change may send no event. */
    private static final Duration STATE_POLL = Duration.ofMillis(200);

    private static final JsonMapper JSON = JsonMapper.shared();

    private final Path socket;
    private final SocketChannel channel;
    private final CompletableFuture<JsonNode> greeting = new CompletableFuture<>();
    private final Map<Long, CompletableFuture<JsonNode>> pending = new ConcurrentHashMap<>();
    private final List<QmpEvents> subscriptions = new CopyOnWriteArrayList<>();
    private final BlockingQueue<byte[]> outgoing = new LinkedBlockingQueue<>();
    private final AtomicReference<QmpException> lost = new AtomicReference<>();
    private final AtomicLong ids = new AtomicLong(1);

    private QmpClient(Path socket, SocketChannel channel) {
        this.socket = socket;
        this.channel = channel;
    }

    /** Connects with the default time limit. */
    public static QmpClient connect(Path socket) throws IOException {
        return connect(socket, DEFAULT_TIMEOUT);
    }

    /**
     * Connects, reads the greeting and leaves negotiation mode.
     *
     * @param socket the unix socket of {@code -qmp unix:SOCKET,server=on,wait=off}
     * @param timeout for the greeting; a monitor that serves another client already does not greet until that one leaves
     */
    public static QmpClient connect(Path socket, Duration timeout) throws IOException {
        if (!Files.exists(socket)) {
            throw new QmpException("There is no QMP socket " + socket
                    + ": start the machine with '-qmp unix:" + socket + ",server=on,wait=off'");
        }
        var client = new QmpClient(socket, SocketChannel.open(StandardProtocolFamily.UNIX));
        try {
            Thread.ofPlatform().daemon().name("qmp-reader").start(client::readAll);
            client.greeting.get(timeout.toNanos(), TimeUnit.NANOSECONDS);
            Thread.ofVirtual().name("qmp-writer").start(client::writeAll);
            client.execute("qmp_capabilities", arguments(), timeout);
            return client;
        } catch (TimeoutException e) {
            client.close();
            throw new QmpException("No QMP greeting on " + socket + " within " + timeout.toMillis() + " ms: a monitor serves one client"
                    + " at a time, so either another program holds it (start QEMU with one more -qmp socket), or QEMU is"
                    + " stopped, or the socket is not QMP", e);
        } catch (InterruptedException e) {
            client.close();
            throw interrupted(e);
        } catch (ExecutionException e) {
            client.close();
            throw asQmp(e);
        } catch (IOException e) {
            client.close();
            throw e;
        }
    }

    /** An empty object, to be filled with a command's arguments. */
    public static ObjectNode arguments() {
        return JsonNodeFactory.instance.objectNode();
    }

    public JsonNode execute(String command) throws IOException {
        return execute(command, arguments(), DEFAULT_TIMEOUT);
    }

    public JsonNode execute(String command, ObjectNode arguments) throws IOException {
        return execute(command, arguments, DEFAULT_TIMEOUT);
    }

    /**
     * Runs a command and waits for its answer.
     *
     * @return the answer's {@code return} member
     * @throws QmpCommandException QEMU answered with an error
     * @throws QmpException no answer: the connection is lost, or the time is over
     */
    public JsonNode execute(String command, ObjectNode arguments, Duration timeout) throws IOException {
        long id = ids.getAndIncrement();
        ObjectNode request = arguments().put("execute", command).put("id", id);
        if (!arguments.isEmpty()) {
            request.set("arguments", arguments);
        }
        var answer = new CompletableFuture<JsonNode>();
        pending.put(id, answer);
        try {
            QmpException alreadyLost = lost.get();
            if (alreadyLost != null) {
                throw new NoAnswerException(alreadyLost.getMessage(), alreadyLost);
            }
            outgoing.add((request + "\n").getBytes(StandardCharsets.UTF_8));
            JsonNode reply = answer.get(timeout.toNanos(), TimeUnit.NANOSECONDS);
            JsonNode error = reply.get("error");
            if (error != null) {
                throw new QmpCommandException(command, error.path("class").asString(""), error.path("desc").asString(""));
            }
            return reply.path("return");
        } catch (TimeoutException e) {
            throw new NoAnswerException("QEMU did not answer '" + command + "' on " + socket + " within " + timeout.toMillis()
                    + " ms: it is stopped, overloaded, or its storage hangs", e);
        } catch (ExecutionException e) {
            throw asQmp(e);
        } catch (InterruptedException e) {
            throw interrupted(e);
        } finally {
            pending.remove(id);
        }
    }

    /** Begins to collect the events that {@code filter} lets through. */
    public QmpEvents subscribe(Predicate<QmpEvent> filter) {
        var events = new QmpEvents(filter, subscriptions::remove);
        subscriptions.add(events);
        QmpException alreadyLost = lost.get();
        if (alreadyLost != null) {
            events.connectionLost(alreadyLost);
        }
        return events;
    }

    /**
     * Waits until {@code check} holds. The state is what counts; events only make it be looked at again sooner, so it does not
     * matter which client's doing it is or when it came about.
     *
     * @param what ends the sentence "QEMU did not ... within", such as "end the job x"
     */
    void awaitState(String what, Duration timeout, StateCheck check) throws IOException {
        long deadline = System.nanoTime() + timeout.toNanos();
        try (QmpEvents events = subscribe(event -> true)) {
            while (!check.holds()) {
                if (System.nanoTime() >= deadline) {
                    throw new QmpException("QEMU did not " + what + " within " + timeout.toMillis() + " ms");
                }
                events.poll(STATE_POLL);
            }
        }
    }

    /** A question to QEMU that can be asked again and again. */
    @FunctionalInterface
    interface StateCheck {
        boolean holds() throws IOException;
    }

    /** The socket that this client is connected to. */
    public Path socket() {
        return socket;
    }

    /** False from the moment at which QEMU, or we, closed the connection. */
    public boolean isOpen() {
        return lost.get() == null;
    }

    /** The user who opened the monitor's socket: as a rule the one as whom QEMU runs. */
    UserPrincipal peer() throws IOException {
        return channel.getOption(ExtendedSocketOptions.SO_PEERCRED).user();
    }

    @Override
    public void close() {
        lose(new QmpException("The connection to " + socket + " was closed"));
    }

    static InterruptedIOException interrupted(InterruptedException cause) {
        Thread.currentThread().interrupt();
        var e = new InterruptedIOException("interrupted while waiting for QEMU");
        e.initCause(cause);
        return e;
    }

    private static QmpException asQmp(ExecutionException e) {
        return new NoAnswerException(e.getCause().getMessage(), e.getCause());
    }

    private void readAll() {
        try {
            channel.connect(UnixDomainSocketAddress.of(socket));
            var lines = new QmpLines(channel, socket);
            JsonNode first = JSON.readTree(lines.next());
            if (!first.has("QMP")) {
                throw new QmpException(socket + " is not a QMP socket: it does not greet like one");
            }
            greeting.complete(first);
            while (true) {
                dispatch(JSON.readTree(lines.next()));
            }
        } catch (ConnectException e) {
            lose(new QmpException("Nothing listens on " + socket + ": its QEMU has ended", e));
        } catch (QmpException e) {
            lose(e);
        } catch (JacksonException e) {
            lose(new QmpException(socket + " does not speak QMP: it sent something that is not JSON", e));
        } catch (IOException e) {
            lose(new QmpException("The connection to QEMU on " + socket + " failed: " + e.getMessage(), e));
        } catch (RuntimeException e) {
            // Whatever a peer can provoke must end in failed callers, not in callers that wait for a dead thread.
            lose(new QmpException("The connection to QEMU on " + socket + " failed: " + e, e));
        }
    }

    private void writeAll() {
        try {
            while (isOpen()) {
                byte[] next = outgoing.take();
                for (var bytes = ByteBuffer.wrap(next); bytes.hasRemaining(); ) {
                    channel.write(bytes);
                }
            }
        } catch (IOException e) {
            lose(new QmpException("The connection to QEMU on " + socket + " failed: " + e.getMessage(), e));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void dispatch(JsonNode message) throws QmpException {
        if (message.has("event")) {
            JsonNode data = message.path("data").isObject() ? message.get("data") : arguments();
            var event = new QmpEvent(message.path("event").asString(""), data);
            subscriptions.forEach(subscription -> subscription.offer(event));
        } else if (message.path("id").isIntegralNumber()) {
            CompletableFuture<JsonNode> answer = pending.get(message.get("id").asLong());
            if (answer != null) {
                answer.complete(message);
            } // else: the caller's time was over
        } else {
            throw new QmpException("QEMU on " + socket + " sent neither an event nor an answer to a command of ours");
        }
    }

    private void lose(QmpException cause) {
        if (lost.compareAndSet(null, cause)) {
            try {
                channel.close();
            } catch (IOException e) {
                cause.addSuppressed(e);
            }
            outgoing.add(new byte[0]); // wakes the writer
        }
        QmpException first = lost.get();
        greeting.completeExceptionally(first);
        pending.values().forEach(answer -> answer.completeExceptionally(first));
        subscriptions.forEach(subscription -> subscription.connectionLost(first));
    }
}
