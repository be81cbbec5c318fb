package io.afterimage.nbd.codec;

import io.afterimage.nbd.protocol.Magic;
import io.afterimage.nbd.protocol.ProtocolException;
import io.afterimage.nbd.protocol.ReplyForm;
import io.netty.buffer.ByteBuf;

/**
 * Server side: request headers of the transmission phase. {@link #next} fills the fields with one header; they hold until the
 * next call. What follows a header (a payload) is the caller's to read before that.
 */
public final class RequestDecoder {

    private final boolean extended;
    private final int headerLength;
    private int flags;
    private int command;
    private long cookie;
    private long offset;
    private long length;

    public RequestDecoder(ReplyForm form) {
        extended = form == ReplyForm.EXTENDED;
        headerLength = extended ? 32 : 28;
    }

    /** Reads one header if all its bytes are there. */
    public boolean next(ByteBuf in) throws ProtocolException {
        if (in.readableBytes() < headerLength) {
            return false;
        }
        int magic = in.readInt();
        if (magic != (extended ? Magic.EXTENDED_REQUEST : Magic.REQUEST)) {
            throw new ProtocolException("bad request magic 0x" + Integer.toHexString(magic));
        }
        flags = in.readUnsignedShort();
        command = in.readUnsignedShort();
        cookie = in.readLong();
        offset = in.readLong();
        length = extended ? in.readLong() : in.readUnsignedInt();
        return true;
    }

    public int flags() {
        return flags;
    }

    public boolean has(int flag) {
        return (flags & flag) != 0;
    }

    /** The number of the command, known or not. */
    public int command() {
        return command;
    }

    /** Opaque, to be sent back. */
    public long cookie() {
        return cookie;
    }

    /** Unsigned 64 bits. */
    public long offset() {
        return offset;
    }

    /** Unsigned 64 bits with extended headers, else 32. */
    public long length() {
        return length;
    }
}
