package io.afterimage.nbd.server;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.afterimage.nbd.protocol.Magic;
import java.io.ByteArrayOutputStream;
import java.io.Closeable;
import java.io.DataInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/** A client that says exactly what it is told to, byte by byte, legal or not. */
@SuppressWarnings("ArrayRecordComponent") // messages are taken apart once and never compared
final class RawClient implements Closeable {

    /** A reply to an option. */
    record Reply(int option, int type, byte[] payload) {
        String text() {
            return new String(payload, StandardCharsets.UTF_8);
        }
    }

    /** A structured or extended chunk; {@code offset} is -1 without extended headers. */
    record Chunk(int flags, int type, long cookie, long offset, byte[] payload) {
        boolean done() {
            return (flags & 1) != 0;
        }

        ByteBuffer bytes() {
            return ByteBuffer.wrap(payload);
        }

        int error() {
            return (type & 0x8000) != 0 ? bytes().getInt() : 0;
        }
    }

    private Socket socket;
    private OutputStream out;
    private DataInputStream in;

    private RawClient(Socket socket) throws IOException {
        use(socket);
        socket.setSoTimeout(20_000);
    }

    void use(Socket other) throws IOException {
        socket = other;
        out = socket.getOutputStream();
        in = new DataInputStream(socket.getInputStream());
    }

    Socket socket() {
        return socket;
    }

    static RawClient connect(int port) throws IOException {
        Socket socket = new Socket();
        socket.setTcpNoDelay(true);
        socket.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), port));
        return new RawClient(socket);
    }

    /** Connected, greeted, and answered with those flags. */
    static RawClient greeted(int port, int flags) throws IOException {
        RawClient client = connect(port);
        assertEquals(Magic.GREETING, client.in.readLong());
        assertEquals(Magic.OPTION, client.in.readLong());
        assertEquals(3, client.in.readUnsignedShort());
        return client.send(ByteBuffer.allocate(4).putInt(flags));
    }

    /** {@link #greeted} as every modern client. */
    static RawClient greeted(int port) throws IOException {
        return greeted(port, 3);
    }

    RawClient send(ByteBuffer bytes) throws IOException {
        byte[] written = new byte[bytes.position()];
        bytes.flip().get(written);
        return send(written);
    }

    RawClient send(byte[] bytes) throws IOException {
        out.write(bytes);
        out.flush();
        return this;
    }

    static byte[] optionBytes(int code, byte[] payload) {
        return ByteBuffer.allocate(16 + payload.length).putLong(Magic.OPTION).putInt(code).putInt(payload.length).put(payload).array();
    }

    RawClient option(int code, byte... payload) throws IOException {
        return send(optionBytes(code, payload));
    }

    /** A name with its length, then 16-bit numbers: the payload of INFO and GO. */
    static byte[] info(String name, int... wanted) {
        byte[] bytes = name.getBytes(StandardCharsets.UTF_8);
        ByteBuffer payload = ByteBuffer.allocate(6 + bytes.length + 2 * wanted.length).putInt(bytes.length).put(bytes);
        payload.putShort((short) wanted.length);
        for (int type : wanted) {
            payload.putShort((short) type);
        }
        return payload.array();
    }

    static byte[] meta(String name, String... queries) {
        byte[] bytes = name.getBytes(StandardCharsets.UTF_8);
        ByteBuffer payload = ByteBuffer.allocate(1 << 16).putInt(bytes.length).put(bytes).putInt(queries.length);
        for (String query : queries) {
            byte[] text = query.getBytes(StandardCharsets.UTF_8);
            payload.putInt(text.length).put(text);
        }
        byte[] result = new byte[payload.position()];
        payload.flip().get(result);
        return result;
    }

    Reply reply() throws IOException {
        assertEquals(Magic.OPTION_REPLY, in.readLong());
        int option = in.readInt();
        int type = in.readInt();
        return new Reply(option, type, in.readNBytes(in.readInt()));
    }

    /** All replies up to an acknowledgement or an error. */
    List<Reply> replies() throws IOException {
        List<Reply> replies = new ArrayList<>();
        do {
            replies.add(reply());
        } while (replies.getLast().type() > 1);
        return replies;
    }

    /** The type of the last reply: 1, or an error as the number without its high bit, negated. */
    int outcome() throws IOException {
        int type = replies().getLast().type();
        return type < 0 ? -(type & 0x7fffffff) : type;
    }

    int ask(int code, byte... payload) throws IOException {
        return option(code, payload).outcome();
    }

    static byte[] request(int flags, int type, long cookie, long offset, long length) {
        return ByteBuffer.allocate(28).putInt(Magic.REQUEST).putShort((short) flags).putShort((short) type)
                .putLong(cookie).putLong(offset).putInt((int) length).array();
    }

    static byte[] extended(int flags, int type, long cookie, long offset, long length) {
        return ByteBuffer.allocate(32).putInt(Magic.EXTENDED_REQUEST).putShort((short) flags).putShort((short) type)
                .putLong(cookie).putLong(offset).putLong(length).array();
    }

    static byte[] join(byte[]... parts) {
        ByteArrayOutputStream joined = new ByteArrayOutputStream();
        for (byte[] part : parts) {
            joined.writeBytes(part);
        }
        return joined.toByteArray();
    }

    /** A simple reply with that cookie; its error. */
    int simple(long cookie) throws IOException {
        assertEquals(Magic.SIMPLE_REPLY, in.readInt());
        int error = in.readInt();
        assertEquals(cookie, in.readLong());
        return error;
    }

    Chunk chunk(boolean extended) throws IOException {
        assertEquals(extended ? Magic.EXTENDED_REPLY : Magic.STRUCTURED_REPLY, in.readInt());
        int flags = in.readUnsignedShort();
        int type = in.readUnsignedShort();
        long cookie = in.readLong();
        long offset = extended ? in.readLong() : -1;
        int length = extended ? Math.toIntExact(in.readLong()) : in.readInt();
        return new Chunk(flags, type, cookie, offset, in.readNBytes(length));
    }

    /** The next message, of any of the three forms: its error. */
    int anyError(long cookie) throws IOException {
        int magic = in.readInt();
        int error;
        switch (magic) {
            case Magic.SIMPLE_REPLY -> {
                error = in.readInt();
                assertEquals(cookie, in.readLong());
            }
            case Magic.STRUCTURED_REPLY, Magic.EXTENDED_REPLY -> {
                in.readUnsignedShort();
                int type = in.readUnsignedShort();
                assertEquals(cookie, in.readLong());
                if (magic == Magic.EXTENDED_REPLY) {
                    in.readLong();
                }
                int length = magic == Magic.EXTENDED_REPLY ? (int) in.readLong() : in.readInt();
                ByteBuffer payload = ByteBuffer.wrap(in.readNBytes(length));
                error = (type & 0x8000) != 0 ? payload.getInt() : 0;
            }
            default -> throw new AssertionError("magic " + Integer.toHexString(magic));
        }
        return error;
    }

    byte[] read(int count) throws IOException {
        byte[] bytes = in.readNBytes(count);
        assertEquals(count, bytes.length, "the server closed the connection");
        return bytes;
    }

    InputStream in() {
        return in;
    }

    /** Waits for the end of the connection; what came before it. */
    byte[] rest() throws IOException {
        try {
            return in.readAllBytes();
        } catch (java.net.SocketException _) {
            return new byte[0]; // reset: it ended with bytes of ours unread
        }
    }

    void assertClosed() throws IOException {
        assertEquals(0, rest().length, "bytes before the end");
    }

    @Override
    public void close() throws IOException {
        socket.close();
    }
}
