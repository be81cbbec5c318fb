package io.afterimage.nbd.codec;

import io.afterimage.nbd.protocol.Command;
import io.afterimage.nbd.protocol.Magic;
import io.afterimage.nbd.protocol.ReplyForm;
import io.netty.buffer.ByteBuf;

/** Client side: request headers of the transmission phase. */
public final class RequestEncoder {

    /** Longest header, in bytes. */
    public static final int LONGEST_HEADER = 32;

    private final boolean extended;

    public RequestEncoder(ReplyForm form) {
        extended = form == ReplyForm.EXTENDED;
    }

    /** Writes one header; {@code length} is at most 32 bits wide unless the form is extended. */
    public void header(ByteBuf out, Command command, int flags, long cookie, long offset, long length) {
        out.writeInt(extended ? Magic.EXTENDED_REQUEST : Magic.REQUEST).writeShort(flags).writeShort(command.code());
        out.writeLong(cookie).writeLong(offset);
        if (extended) {
            out.writeLong(length);
        } else if (length >>> 32 == 0) {
            out.writeInt((int) length);
        } else {
            throw new IllegalArgumentException("a length of " + length + " needs extended headers");
        }
    }
}
