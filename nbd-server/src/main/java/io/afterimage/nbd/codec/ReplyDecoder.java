package io.afterimage.nbd.codec;

import io.afterimage.nbd.protocol.ChunkType;
import io.afterimage.nbd.protocol.Magic;
import io.afterimage.nbd.protocol.ProtocolException;
import io.afterimage.nbd.protocol.ReplyForm;
import io.netty.buffer.ByteBuf;
import java.nio.charset.StandardCharsets;

/**
 * Client side: replies of the transmission phase, told to a {@link ReplySink} as they come. Data pass through without being
 * collected; every other payload is bounded and waited for whole.
 */
public final class ReplyDecoder {

    /** Most descriptors in one BLOCK_STATUS chunk. */
    public static final int MOST_EXTENTS = 1 << 20;
    private static final int LONGEST_ERROR = 6 + 8 + 4096;

    private final ReplyForm form;
    private final ReplySink sink;
    private boolean headerRead;
    private boolean done;
    private int type;
    private long cookie;
    private long length;
    private long dataLeft;

    public ReplyDecoder(ReplyForm form, ReplySink sink) {
        this.form = form;
        this.sink = sink;
    }

    /** Takes from {@code in} all that can be understood now. */
    public void decode(ByteBuf in) throws ProtocolException {
        boolean more = true;
        while (more && in.isReadable()) {
            if (dataLeft > 0) {
                data(in);
            } else if (headerRead) {
                more = payload(in);
            } else {
                more = header(in);
            }
        }
    }

    private void data(ByteBuf in) throws ProtocolException {
        int count = (int) Math.min(dataLeft, in.readableBytes());
        dataLeft -= count;
        sink.data(in, count);
        if (dataLeft == 0) {
            finish();
        }
    }

    private boolean header(ByteBuf in) throws ProtocolException {
        if (in.readableBytes() < 4) {
            return false;
        }
        int magic = in.getInt(in.readerIndex());
        if (magic == Magic.SIMPLE_REPLY && form != ReplyForm.EXTENDED) {
            return simple(in);
        }
        if (magic != (form == ReplyForm.EXTENDED ? Magic.EXTENDED_REPLY : Magic.STRUCTURED_REPLY) || !form.isChunked()) {
            throw new ProtocolException("a reply has the wrong magic 0x" + Integer.toHexString(magic));
        }
        if (in.readableBytes() < (form == ReplyForm.EXTENDED ? 32 : 20)) {
            return false;
        }
        in.skipBytes(4);
        done = (in.readUnsignedShort() & ChunkType.FLAG_DONE) != 0;
        type = in.readUnsignedShort();
        cookie = in.readLong();
        if (form == ReplyForm.EXTENDED) {
            sink.requestOffset(cookie, in.readLong());
            length = in.readLong();
        } else {
            length = in.readUnsignedInt();
        }
        checkLength();
        headerRead = true;
        if (type == ChunkType.NONE) {
            finish();
        }
        return true;
    }

    private boolean simple(ByteBuf in) throws ProtocolException {
        if (in.readableBytes() < 16) {
            return false;
        }
        in.skipBytes(4);
        int error = in.readInt();
        cookie = in.readLong();
        done = true;
        dataLeft = sink.simple(cookie, error);
        headerRead = true;
        if (dataLeft == 0) {
            finish();
        }
        return true;
    }

    private void checkLength() throws ProtocolException {
        boolean legal =
                switch (type) {
                    case ChunkType.NONE -> length == 0 && done;
                    case ChunkType.OFFSET_DATA -> length > 8 && length <= Integer.MAX_VALUE;
                    case ChunkType.OFFSET_HOLE -> length == 12;
                    case ChunkType.BLOCK_STATUS ->
                        form == ReplyForm.STRUCTURED && length >= 12 && length % 8 == 4 && length <= 4 + 8L * MOST_EXTENTS;
                    case ChunkType.BLOCK_STATUS_EXT ->
                        form == ReplyForm.EXTENDED && length >= 24 && length % 16 == 8 && length <= 8 + 16L * MOST_EXTENTS;
                    case ChunkType.ERROR -> length >= 6 && length <= LONGEST_ERROR;
                    case ChunkType.ERROR_OFFSET -> length >= 14 && length <= LONGEST_ERROR;
                    // An error of a kind not known here is an error all the same; anything else cannot be guessed at.
                    default -> (type & ChunkType.ERROR_BIT) != 0 && length >= 0 && length <= LONGEST_ERROR;
                };
        if (!legal) {
            throw new ProtocolException("a reply chunk of type " + type + " has " + Long.toUnsignedString(length) + " bytes");
        }
    }

    /** Takes the payload of the chunk at hand, or the position that precedes its data. */
    private boolean payload(ByteBuf in) throws ProtocolException {
        if (in.readableBytes() < (type == ChunkType.OFFSET_DATA ? 8 : length)) {
            return false;
        }
        int end = in.readerIndex() + (int) length;
        switch (type) {
            case ChunkType.OFFSET_DATA -> {
                dataLeft = length - 8;
                sink.dataBegins(cookie, in.readLong(), (int) dataLeft);
                return true;
            }
            case ChunkType.OFFSET_HOLE -> sink.hole(cookie, in.readLong(), in.readUnsignedInt());
            case ChunkType.BLOCK_STATUS, ChunkType.BLOCK_STATUS_EXT -> status(in);
            default -> error(in, end);
        }
        in.readerIndex(end);
        finish();
        return true;
    }

    private void status(ByteBuf in) throws ProtocolException {
        boolean wide = type == ChunkType.BLOCK_STATUS_EXT;
        int context = in.readInt();
        int count = (int) (wide ? (length - 8) / 16 : (length - 4) / 8);
        if (wide && in.readInt() != count) {
            throw new ProtocolException("a block status chunk counts its extents wrong");
        }
        long[] lengths = new long[count];
        long[] flags = new long[count];
        for (int i = 0; i < count; i++) {
            lengths[i] = wide ? in.readLong() : in.readUnsignedInt();
            flags[i] = wide ? in.readLong() : in.readUnsignedInt();
        }
        sink.status(cookie, context, lengths, flags);
    }

    private void error(ByteBuf in, int end) throws ProtocolException {
        int error = length >= 4 ? in.readInt() : 0;
        int words = length >= 6 ? in.readUnsignedShort() : 0;
        if (error == 0 || words > end - in.readerIndex()) {
            throw new ProtocolException("an error chunk is malformed");
        }
        sink.error(cookie, error, in.toString(in.readerIndex(), words, StandardCharsets.UTF_8));
    }

    private void finish() throws ProtocolException {
        headerRead = false;
        if (done) {
            sink.done(cookie);
        }
    }
}
