package io.afterimage.capture.qemu;

import java.io.Closeable;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Scanner;

/** Something that listens on a unix socket and follows a script: what a misbehaving QEMU, or another server, would send. */
final class QmpPeer implements Closeable {

    static final String GREETING = "{\"QMP\": {\"version\": {}, \"capabilities\": []}}\r\n";

    private final ServerSocketChannel server = ServerSocketChannel.open(StandardProtocolFamily.UNIX);

    /** One connection, from the peer's side. */
    static final class Connection {

        private final SocketChannel channel;
        private final Scanner lines;

        Connection(SocketChannel channel) {
            this.channel = channel;
            this.lines = new Scanner(Channels.newInputStream(channel), StandardCharsets.UTF_8);
        }

        void send(String text) throws IOException {
            for (var bytes = ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8)); bytes.hasRemaining(); ) {
                channel.write(bytes);
            }
        }

        /** The next command's line; waits for it. */
        String receive() {
            return lines.nextLine();
        }

        /** Greets and leaves negotiation, as QEMU does. */
        void negotiate() throws IOException {
            send(GREETING);
            receive();
            send("{\"return\": {}, \"id\": 1}\r\n");
        }
    }

    @FunctionalInterface
    interface Script {
        void run(Connection connection) throws IOException;
    }

    /** Serves one client; the connection ends with the script, unless it holds it. */
    QmpPeer(Path socket, Script script) throws IOException {
        server.bind(UnixDomainSocketAddress.of(socket));
        Thread.ofVirtual().start(() -> {
            try (SocketChannel client = server.accept()) {
                script.run(new Connection(client));
            } catch (IOException e) {
                // the client went away, or the test is over
            }
        });
    }

    /** Waits until the client closes its side. */
    static void hold(Connection connection) throws IOException {
        while (connection.lines.hasNextLine()) {
            connection.lines.nextLine();
        }
    }

    @Override
    public void close() throws IOException {
        server.close();
    }
}
