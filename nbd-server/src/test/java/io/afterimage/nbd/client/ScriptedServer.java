package io.afterimage.nbd.client;

import io.afterimage.nbd.protocol.Magic;
import io.afterimage.nbd.protocol.NbdUri;
import java.io.Closeable;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;

/** A server that agrees to everything and then does what a test wants, above all wrong things. Serves one connection for each script. */
final class ScriptedServer implements Closeable {

    static final int SIZE = 1 << 20;

    /** What happens on a connection. */
    interface Script {
        void play(DataInputStream in, DataOutputStream out) throws IOException;
    }

    private final ServerSocket listener = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());

    private ScriptedServer(Script... scripts) throws IOException {
        Thread.ofVirtual().start(() -> {
            for (Script script : scripts) {
                serve(script);
            }
        });
    }

    private void serve(Script script) {
        try (Socket socket = listener.accept()) {
            script.play(new DataInputStream(socket.getInputStream()), new DataOutputStream(socket.getOutputStream()));
        } catch (IOException _) {
            // The client has had enough.
        }
    }

    /** @param scripts one for each connection, in the order in which they come */
    static ScriptedServer from(Script... scripts) throws IOException {
        return new ScriptedServer(scripts);
    }

    /** A lawful handshake (structured replies, {@code base:allocation} as context 5), then the script. */
    static ScriptedServer agreeing(Script script) throws IOException {
        return new ScriptedServer(agreed(script));
    }

    /** The same, to be played behind something else. */
    static Script agreed(Script script) {
        return (in, out) -> {
            out.writeLong(Magic.GREETING);
            out.writeLong(Magic.OPTION);
            out.writeShort(3);
            in.readInt();
            int option = 0;
            while (option != 7) {
                in.readLong();
                option = in.readInt();
                in.readNBytes(in.readInt());
                switch (option) {
                    case 7 -> {
                        reply(out, option, 3, new byte[] {0, 0, 0, 0, 0, 0, 0, SIZE >> 16, 0, 0, 0, 1});
                        reply(out, option, 1);
                    }
                    case 8 -> reply(out, option, 1);
                    case 10 -> {
                        reply(out, option, 4, "\0\0\0\5base:allocation".getBytes(StandardCharsets.US_ASCII));
                        reply(out, option, 1);
                    }
                    default -> reply(out, option, 0x80000001);
                }
            }
            script.play(in, out);
        };
    }

    static void reply(DataOutputStream out, int option, int type, byte... payload) throws IOException {
        out.writeLong(Magic.OPTION_REPLY);
        out.writeInt(option);
        out.writeInt(type);
        out.writeInt(payload.length);
        out.write(payload);
    }

    /** Takes one request; its cookie. */
    static long request(DataInputStream in) throws IOException {
        in.readInt();
        in.readInt();
        long cookie = in.readLong();
        in.readLong();
        in.readInt();
        return cookie;
    }

    static void chunk(DataOutputStream out, int flags, int type, long cookie, int length) throws IOException {
        out.writeInt(Magic.STRUCTURED_REPLY);
        out.writeShort(flags);
        out.writeShort(type);
        out.writeLong(cookie);
        out.writeInt(length);
    }

    static void data(DataOutputStream out, int flags, long cookie, long offset, int length) throws IOException {
        chunk(out, flags, 1, cookie, 8 + length);
        out.writeLong(offset);
        out.write(new byte[length]);
    }

    static void hole(DataOutputStream out, int flags, long cookie, long offset, int length) throws IOException {
        chunk(out, flags, 2, cookie, 12);
        out.writeLong(offset);
        out.writeInt(length);
    }

    NbdUri uri() {
        return NbdUri.tcp("127.0.0.1", listener.getLocalPort(), "e");
    }

    @Override
    public void close() throws IOException {
        listener.close();
    }
}
