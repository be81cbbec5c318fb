package io.afterimage.capture.agent;

import java.io.Closeable;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A guest agent in memory: as the real one it serves one client after another, works on one command after another, has a number of
 * file systems that are frozen or not, and refuses most commands while they are. A test may change how it behaves.
 */
public class AgentPeer implements Closeable {

    private static final Pattern SYNC = Pattern.compile(".*guest-sync-delimited.*\"id\":(\\d+).*");
    private static final Pattern COMMAND = Pattern.compile(".*\"execute\":\"([a-z-]+)\".*");
    private static final int BIT = 0xff;

    private final ServerSocketChannel server = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
    private final List<String> done = new CopyOnWriteArrayList<>();
    private final int fileSystems;
    private volatile boolean frozen;

    /** @param fileSystems how many the guest has that can be frozen */
    @SuppressWarnings("this-escape") // a client comes when the peer is made, and not before
    public AgentPeer(Path socket, int fileSystems) throws IOException {
        this.fileSystems = fileSystems;
        server.bind(UnixDomainSocketAddress.of(socket));
        Thread.ofPlatform().daemon().name("agent-peer").start(this::serve);
    }

    /** The guest is in this state. */
    public final boolean isFrozen() {
        return frozen;
    }

    /** Changes it without anybody asking. */
    public final void setFrozen(boolean state) {
        frozen = state;
    }

    /** The commands that it has worked on, synchronizations apart. */
    public final List<String> done() {
        return List.copyOf(done);
    }

    /** Answers a command; null for no answer. */
    protected String answer(String command) throws IOException {
        return switch (command) {
            case "guest-fsfreeze-freeze" -> {
                frozen = fileSystems > 0;
                yield "{\"return\": " + fileSystems + "}";
            }
            case "guest-fsfreeze-thaw" -> {
                int count = frozen ? fileSystems : 0;
                frozen = false;
                yield "{\"return\": " + count + "}";
            }
            default -> "{\"error\": {\"class\": \"CommandNotFound\", \"desc\": \"The command " + command + " has not been found\"}}";
        };
    }

    /** What it sends as soon as a client is there. */
    protected String greeting() {
        return "";
    }

    /** How it answers a synchronization; null for no answer. */
    protected byte[] sync(String id) {
        byte[] text = ("{\"return\": " + id + "}\n").getBytes(StandardCharsets.UTF_8);
        return ByteBuffer.allocate(text.length + 1).put((byte) BIT).put(text).array();
    }

    private void serve() {
        while (server.isOpen()) {
            try (SocketChannel client = server.accept()) {
                send(client, greeting().getBytes(StandardCharsets.ISO_8859_1));
                converse(client);
            } catch (IOException e) {
                // the client went away, or the test is over
            }
        }
    }

    private void converse(SocketChannel client) throws IOException {
        var line = new StringBuilder();
        ByteBuffer buffer = ByteBuffer.allocate(1024);
        while (client.read(buffer) >= 0) {
            buffer.flip();
            while (buffer.hasRemaining()) {
                char c = (char) (buffer.get() & BIT);
                if (c == BIT) {
                    line.setLength(0);
                } else if (c != '\n') {
                    line.append(c);
                } else {
                    obey(client, line.toString());
                    line.setLength(0);
                }
            }
            buffer.clear();
        }
    }

    private void obey(SocketChannel client, String line) throws IOException {
        Matcher sync = SYNC.matcher(line);
        if (sync.matches()) {
            byte[] answer = sync(sync.group(1));
            if (answer != null) {
                send(client, answer);
            }
            return;
        }
        Matcher command = COMMAND.matcher(line);
        if (command.matches()) {
            String answer = answer(command.group(1));
            done.add(command.group(1));
            if (answer != null) {
                send(client, (answer + "\n").getBytes(StandardCharsets.UTF_8));
            }
        }
    }

    private static void send(SocketChannel client, byte[] bytes) throws IOException {
        for (ByteBuffer left = ByteBuffer.wrap(bytes); left.hasRemaining(); ) {
            client.write(left);
        }
    }

    @Override
    public final void close() throws IOException {
        server.close();
    }
}
