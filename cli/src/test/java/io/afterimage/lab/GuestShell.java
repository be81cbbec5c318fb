package io.afterimage.lab;

import java.io.Closeable;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;

/** The command port of the tiny guest; the other end is {@code cli/src/lab/tiny-root/sbin/shell-port}. */
final class GuestShell implements Closeable {
    private final Wire wire;

    private GuestShell(Wire wire) {
        this.wire = wire;
    }

    static GuestShell connect(Path socket) throws IOException {
        return new GuestShell(Wire.connect(socket));
    }

    synchronized GuestAnswer run(String command, Duration patience) throws IOException {
        if (command.contains("\n")) {
            throw new IllegalArgumentException("a command is one line: " + command);
        }
        Deadline deadline = Deadline.in(patience);
        wire.writeLine(command, deadline);
        String[] head = wire.readLine(deadline).split(" ", -1);
        byte[] output = wire.read(Integer.parseInt(head[1]), deadline);
        return new GuestAnswer(command, Integer.parseInt(head[0]), new String(output, StandardCharsets.UTF_8));
    }

    @Override
    public void close() throws IOException {
        wire.close();
    }
}
