package io.afterimage.nbd.codec;

import io.afterimage.nbd.protocol.ChunkType;
import io.afterimage.nbd.protocol.Magic;
import io.afterimage.nbd.protocol.NbdError;
import io.afterimage.nbd.protocol.ReplyForm;
import io.afterimage.nbd.protocol.StatusExtent;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import java.util.List;

/**
 * Server side: replies of the transmission phase, in the form that the handshake fixed. Each method writes one message (or the
 * header of one) for the request with that cookie and offset. {@code done} marks the last chunk of a reply; it has no meaning in
 * the simple form, where a reply has one message.
 */
public final class ReplyEncoder {

    /** Longest text of an error: QEMU's client drops the connection over a small chunk of more than 1000 bytes. */
    public static final int LONGEST_TEXT = 900;
    /** Most descriptors in one BLOCK_STATUS chunk, within the 2^20 that clients accept; QEMU sends as many at most. */
    public static final int MOST_EXTENTS = 1 << 17;
    /** Room for any message without data but BLOCK_STATUS. */
    public static final int LONGEST_MESSAGE = 64 + LONGEST_TEXT;

    private final ReplyForm form;

    public ReplyEncoder(ReplyForm form) {
        this.form = form;
    }

    public ReplyForm form() {
        return form;
    }

    /** Success without data of a request other than READ and BLOCK_STATUS; the short form is legal unless headers are extended. */
    public void success(ByteBuf out, long cookie, long offset) {
        if (form == ReplyForm.EXTENDED) {
            chunk(out, true, ChunkType.NONE, cookie, offset, 0);
        } else {
            simple(out, cookie, 0);
        }
    }

    /** The end of a chunked reply whose chunks have all been sent. */
    public void end(ByteBuf out, long cookie, long offset) {
        chunk(out, true, ChunkType.NONE, cookie, offset, 0);
    }

    /** Failure; the last message of the reply. The text is left out in the simple form. */
    public void error(ByteBuf out, long cookie, long offset, NbdError error, String text) {
        if (!form.isChunked()) {
            simple(out, cookie, error.code());
            return;
        }
        int bytes = ByteBufUtil.utf8Bytes(text);
        String sent = bytes <= LONGEST_TEXT ? text : text.substring(0, Math.min(text.length(), LONGEST_TEXT / 4));
        int length = ByteBufUtil.utf8Bytes(sent);
        chunk(out, true, ChunkType.ERROR, cookie, offset, 6 + length);
        out.writeInt(error.code()).writeShort(length);
        ByteBufUtil.writeUtf8(out, sent);
    }

    /** What precedes {@code length} bytes of data read at {@code position}. */
    public void dataHeader(ByteBuf out, long cookie, long offset, long position, int length, boolean done) {
        if (form.isChunked()) {
            chunk(out, done, ChunkType.OFFSET_DATA, cookie, offset, 8L + length);
            out.writeLong(position);
        } else {
            simple(out, cookie, 0);
        }
    }

    /** Bytes that {@link #dataHeader} writes. */
    public int dataHeaderLength() {
        return switch (form) {
            case SIMPLE -> 16;
            case STRUCTURED -> 28;
            case EXTENDED -> 40;
        };
    }

    /** A run of zeros, not in the simple form; at most 2^32-1 bytes. */
    public void hole(ByteBuf out, long cookie, long offset, long position, long length, boolean done) {
        chunk(out, done, ChunkType.OFFSET_HOLE, cookie, offset, 12);
        out.writeLong(position).writeInt((int) length);
    }

    /** The status in one context; {@code extents} not empty, short enough for the form, at most {@link #MOST_EXTENTS}. */
    public void blockStatus(ByteBuf out, long cookie, long offset, boolean done, int context, List<StatusExtent> extents) {
        if (form == ReplyForm.EXTENDED) {
            chunk(out, done, ChunkType.BLOCK_STATUS_EXT, cookie, offset, 8 + 16L * extents.size());
            out.writeInt(context).writeInt(extents.size());
            for (StatusExtent extent : extents) {
                out.writeLong(extent.range().length()).writeLong(extent.flags());
            }
        } else {
            chunk(out, done, ChunkType.BLOCK_STATUS, cookie, offset, 4 + 8L * extents.size());
            out.writeInt(context);
            for (StatusExtent extent : extents) {
                out.writeInt((int) extent.range().length()).writeInt((int) extent.flags());
            }
        }
    }

    private static void simple(ByteBuf out, long cookie, int error) {
        out.writeInt(Magic.SIMPLE_REPLY).writeInt(error).writeLong(cookie);
    }

    private void chunk(ByteBuf out, boolean done, int type, long cookie, long offset, long length) {
        boolean extended = form == ReplyForm.EXTENDED;
        out.writeInt(extended ? Magic.EXTENDED_REPLY : Magic.STRUCTURED_REPLY);
        out.writeShort(done ? ChunkType.FLAG_DONE : 0).writeShort(type).writeLong(cookie);
        if (extended) {
            out.writeLong(offset).writeLong(length);
        } else {
            out.writeInt((int) length);
        }
    }
}
