package io.afterimage.lab;

import java.io.ByteArrayOutputStream;
import java.io.Closeable;
import java.io.EOFException;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;

/** A unix socket to QEMU that is read by lines or by length, never for longer than asked. For one thread at a time. */
final class Wire implements Closeable {
    private final Path socket;
    private final SocketChannel channel;
    private final Selector selector;
    private final ByteBuffer input = ByteBuffer.allocate(64 * 1024).flip();

    private Wire(Path socket, SocketChannel channel, Selector selector) {
        this.socket = socket;
        this.channel = channel;
        this.selector = selector;
    }

    static Wire connect(Path socket) throws IOException {
        SocketChannel channel = SocketChannel.open(StandardProtocolFamily.UNIX);
        try {
            channel.connect(UnixDomainSocketAddress.of(socket));
            channel.configureBlocking(false);
            Selector selector = Selector.open();
            channel.register(selector, SelectionKey.OP_READ);
            return new Wire(socket, channel, selector);
        } catch (IOException e) {
            channel.close();
            throw new IOException(socket + ": " + e.getMessage(), e);
        }
    }

    void writeLine(String line, Deadline deadline) throws IOException {
        ByteBuffer bytes = StandardCharsets.UTF_8.encode(line + "\n");
        SelectionKey key = channel.keyFor(selector);
        key.interestOps(SelectionKey.OP_WRITE);
        while (bytes.hasRemaining()) {
            if (channel.write(bytes) == 0) {
                await(deadline);
            }
        }
        key.interestOps(SelectionKey.OP_READ);
    }

    String readLine(Deadline deadline) throws IOException {
        ByteArrayOutputStream line = new ByteArrayOutputStream();
        for (int b = readByte(deadline); b != '\n'; b = readByte(deadline)) {
            line.write(b);
        }
        return line.toString(StandardCharsets.UTF_8).stripTrailing();
    }

    byte[] read(int length, Deadline deadline) throws IOException {
        byte[] bytes = new byte[length];
        for (int i = 0; i < length; i++) {
            bytes[i] = (byte) readByte(deadline);
        }
        return bytes;
    }

    private int readByte(Deadline deadline) throws IOException {
        while (!input.hasRemaining()) {
            input.clear();
            int count = channel.read(input);
            input.flip();
            if (count < 0) {
                throw new EOFException(socket + " was closed by the other end");
            }
            if (count == 0) {
                await(deadline);
            }
        }
        return input.get() & 0xff;
    }

    private void await(Deadline deadline) throws IOException {
        Duration left = deadline.left();
        if (left.isZero() || selector.select(Math.max(1, left.toMillis())) == 0) {
            if (Thread.interrupted()) {
                throw new InterruptedIOException("interrupted at " + socket);
            }
            if (deadline.left().isZero()) {
                throw new InterruptedIOException(socket + " did not answer in time");
            }
        }
        selector.selectedKeys().clear();
    }

    @Override
    public void close() throws IOException {
        selector.close();
        channel.close();
    }
}
