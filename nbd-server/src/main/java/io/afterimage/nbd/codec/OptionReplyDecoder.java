package io.afterimage.nbd.codec;

import io.afterimage.nbd.protocol.Magic;
import io.afterimage.nbd.protocol.OptionReply;
import io.afterimage.nbd.protocol.ProtocolException;
import io.netty.buffer.ByteBuf;
import java.util.Optional;

/** Client side: the greeting, replies to options, and the bare answer to EXPORT_NAME. */
public final class OptionReplyDecoder {

    /** Longest payload of a reply: a name, a description and room to spare. */
    public static final int LARGEST = 64 << 10;
    private static final int GREETING = 18;
    private static final int HEADER = 20;

    private OptionReplyDecoder() {}

    /** The server's handshake flags, or nothing while bytes are missing. */
    public static Optional<Integer> greeting(ByteBuf in) throws ProtocolException {
        if (in.readableBytes() < GREETING) {
            return Optional.empty();
        }
        if (in.readLong() != Magic.GREETING) {
            throw new ProtocolException("the peer is not an NBD server");
        }
        if (in.readLong() != Magic.OPTION) {
            throw new ProtocolException("the server speaks the old handshake, without named exports");
        }
        return Optional.of(in.readUnsignedShort());
    }

    /** The next reply, or nothing while bytes are missing. */
    public static Optional<OptionReply> next(ByteBuf in) throws ProtocolException {
        if (in.readableBytes() < HEADER) {
            return Optional.empty();
        }
        int start = in.readerIndex();
        if (in.getLong(start) != Magic.OPTION_REPLY) {
            throw new ProtocolException("the server's reply to an option has a wrong magic");
        }
        int length = in.getInt(start + 16);
        if (Integer.compareUnsigned(length, LARGEST) > 0) {
            throw new ProtocolException("the server's reply to an option has " + Integer.toUnsignedString(length) + " bytes");
        }
        if (in.readableBytes() < HEADER + length) {
            return Optional.empty();
        }
        byte[] payload = new byte[length];
        in.skipBytes(HEADER).readBytes(payload);
        return Optional.of(new OptionReply(in.getInt(start + 8), in.getInt(start + 12), payload));
    }
}
