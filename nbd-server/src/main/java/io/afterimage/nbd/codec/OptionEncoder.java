package io.afterimage.nbd.codec;

import io.afterimage.nbd.protocol.HandshakeFlags;
import io.afterimage.nbd.protocol.Magic;
import io.afterimage.nbd.protocol.OptionReply;
import io.netty.buffer.ByteBuf;

/** Both sides of the handshake, outgoing. */
public final class OptionEncoder {

    private OptionEncoder() {}

    /** A server's first 18 bytes. */
    public static void greeting(ByteBuf out) {
        out.writeLong(Magic.GREETING).writeLong(Magic.OPTION).writeShort(HandshakeFlags.KNOWN);
    }

    public static void reply(ByteBuf out, OptionReply reply) {
        out.writeLong(Magic.OPTION_REPLY).writeInt(reply.option()).writeInt(reply.type());
        out.writeInt(reply.payload().length).writeBytes(reply.payload());
    }

    /** The answer to EXPORT_NAME, which has no header. */
    public static void exportNameReply(ByteBuf out, long size, int transmissionFlags, boolean padded) {
        out.writeLong(size).writeShort(transmissionFlags);
        if (padded) {
            out.writeZero(124);
        }
    }

    /** A client's option. */
    public static void option(ByteBuf out, int code, byte[] payload) {
        out.writeLong(Magic.OPTION).writeInt(code).writeInt(payload.length).writeBytes(payload);
    }
}
