package io.afterimage.capture.agent;

import java.io.ByteArrayOutputStream;
import java.io.Closeable;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;

/** Lines over a unix socket, each way with a deadline ({@link System#nanoTime}), so that no peer can hold the caller. For one thread. */
final class AgentLines implements Closeable {

    /** Answers to what is asked here have a few dozen bytes. */
    static final int MAX_LINE = 64 << 10;

    private final Path socket;
    private final SocketChannel channel;
    private final Selector selector;
    private final ByteBuffer buffer = ByteBuffer.allocate(4096).flip();
    private ByteArrayOutputStream line = new ByteArrayOutputStream();

    private AgentLines(Path socket, SocketChannel channel, Selector selector) {
        this.socket = socket;
        this.channel = channel;
        this.selector = selector;
    }

    static AgentLines connect(Path socket) throws AgentException {
        if (!Files.exists(socket)) {
            throw new AgentException("there is no guest agent socket " + socket + " (a virtserialport named org.qemu.guest_agent.0 on a"
                    + " '-chardev socket,path=" + socket + ",server=on,wait=off')");
        }
        try {
            SocketChannel channel = SocketChannel.open(StandardProtocolFamily.UNIX);
            try {
                channel.connect(UnixDomainSocketAddress.of(socket));
                channel.configureBlocking(false);
                return new AgentLines(socket, channel, Selector.open());
            } catch (IOException | IllegalArgumentException e) {
                channel.close();
                throw e;
            }
        } catch (IOException | IllegalArgumentException e) {
            throw new AgentException("the guest agent's socket " + socket + " does not take a connection (" + e.getMessage() + ")", e);
        }
    }

    void send(byte[] bytes, long deadline) throws AgentException {
        try {
            for (ByteBuffer left = ByteBuffer.wrap(bytes); left.hasRemaining(); ) {
                if (channel.write(left) == 0) {
                    await(SelectionKey.OP_WRITE, deadline);
                }
            }
        } catch (IOException e) {
            throw lost(e);
        }
    }

    /** The next line without its end; may hold any bytes. */
    byte[] next(long deadline) throws AgentException {
        try {
            while (true) {
                while (buffer.hasRemaining()) {
                    byte b = buffer.get();
                    if (b == '\n') {
                        byte[] complete = line.toByteArray();
                        line = new ByteArrayOutputStream();
                        return complete;
                    }
                    if (line.size() == MAX_LINE) {
                        throw new AgentException(socket + " is no guest agent's: it sent a line of more than " + MAX_LINE + " bytes");
                    }
                    line.write(b);
                }
                // Before each read, too: a peer that never stops talking must not hold us.
                if (System.nanoTime() - deadline >= 0) {
                    throw silent();
                }
                buffer.clear();
                int read = channel.read(buffer);
                buffer.flip();
                if (read < 0) {
                    throw new AgentException("the guest agent's socket " + socket + " was closed: the machine, or another program, has ended it");
                }
                if (read == 0) {
                    await(SelectionKey.OP_READ, deadline);
                }
            }
        } catch (AgentException e) {
            throw e;
        } catch (IOException e) {
            throw lost(e);
        }
    }

    private void await(int operation, long deadline) throws IOException {
        long millis = TimeUnit.NANOSECONDS.toMillis(deadline - System.nanoTime());
        if (millis <= 0 || Thread.currentThread().isInterrupted()) {
            throw silent();
        }
        channel.register(selector, operation);
        selector.select(millis);
        selector.selectedKeys().clear();
    }

    private AgentException silent() {
        return new AgentException("the guest agent on " + socket + " does not answer in time: it is not running in the guest, is busy, or"
                + " another program holds its socket");
    }

    private AgentException lost(IOException e) {
        return e instanceof AgentException known
                ? known
                : new AgentException("the connection to the guest agent on " + socket + " failed (" + e.getMessage() + ")", e);
    }

    @Override
    public void close() throws IOException {
        try (channel) {
            selector.close();
        }
    }
}
