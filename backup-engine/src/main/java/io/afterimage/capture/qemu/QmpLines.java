package io.afterimage.capture.qemu;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ReadableByteChannel;
import java.nio.file.Path;

/** Splits what a peer sends into lines of JSON objects, and gives up early on a peer that does not send such. */
final class QmpLines {

    /** The longest answers are query-qmp-schema (0.3 MiB) and block graphs with hundreds of nodes. */
    static final int MAX_LINE = 16 << 20;

    private final ReadableByteChannel channel;
    private final Path socket;
    private final ByteBuffer buffer = ByteBuffer.allocate(64 << 10).flip();

    QmpLines(ReadableByteChannel channel, Path socket) {
        this.channel = channel;
        this.socket = socket;
    }

    /** The next line that is not blank, without its end; blocks. */
    byte[] next() throws IOException {
        var line = new ByteArrayOutputStream();
        while (true) {
            if (!buffer.hasRemaining()) {
                buffer.clear();
                int read = channel.read(buffer);
                buffer.flip();
                if (read < 0) {
                    throw new QmpException("QEMU closed the connection on " + socket + ": it has ended, or its monitor was closed");
                }
                continue;
            }
            byte b = buffer.get();
            if (b == '\n') {
                if (line.size() > 0) {
                    return line.toByteArray();
                }
            } else if (line.size() > 0 || (b != ' ' && b != '\r' && b != '\t')) {
                // A server of another protocol may greet without ever ending a line; the first byte tells it already.
                if (line.size() == 0 && b != '{') {
                    throw new QmpException(socket + " is not a QMP socket: what it sends is not a JSON object");
                }
                if (line.size() == MAX_LINE) {
                    throw new QmpException(socket + " does not speak QMP: it sent a line of more than " + MAX_LINE + " bytes");
                }
                line.write(b);
            }
        }
    }
}
