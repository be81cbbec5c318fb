package io.afterimage.nbd.server;

import io.afterimage.nbd.codec.ReplyEncoder;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.CompositeByteBuf;
import java.nio.ByteBuffer;

/** Turns bytes that were read into chunks: data as data, long runs of zeros as holes. */
final class ReadReply {

    /** Runs of zeros are looked for in steps of this many bytes; a block with data is found out by its first words. */
    private static final int GRANULE = 32 << 10;
    private static final ByteBuffer ZEROS = ByteBuffer.allocateDirect(GRANULE).asReadOnlyBuffer();

    private ReadReply() {}

    /**
     * Completes {@code buffer}, which holds {@code length} bytes for {@code position} behind room for a header, and takes it over.
     *
     * @param whole whether it has to be one chunk of data, zeros and all
     * @param done whether this is the end of the reply
     */
    static ByteBuf finish(
            ReplyEncoder encoder, ByteBuf buffer, long cookie, long offset, long position, int length, boolean whole, boolean done) {
        int header = encoder.dataHeaderLength();
        int start = buffer.writerIndex();
        ByteBuffer bytes = buffer.internalNioBuffer(start + header, length).slice();
        int run = whole ? length : run(bytes, 0);
        if (run == length && (whole || !isZero(bytes, 0))) {
            encoder.dataHeader(buffer, cookie, offset, position, length, done);
            return buffer.writerIndex(start + header + length);
        }
        return pieces(encoder, buffer, bytes, start + header, cookie, offset, position, done);
    }

    private static ByteBuf pieces(
            ReplyEncoder encoder, ByteBuf buffer, ByteBuffer bytes, int base, long cookie, long offset, long position, boolean done) {
        int length = bytes.limit();
        CompositeByteBuf reply = buffer.alloc().compositeDirectBuffer(Integer.MAX_VALUE);
        try {
            for (int from = 0; from < length; ) {
                int run = run(bytes, from);
                boolean last = done && from + run == length;
                ByteBuf head = buffer.alloc().directBuffer(64);
                if (isZero(bytes, from)) {
                    encoder.hole(head, cookie, offset, position + from, run, last);
                    reply.addComponent(true, head);
                } else {
                    encoder.dataHeader(head, cookie, offset, position + from, run, last);
                    reply.addComponent(true, head);
                    reply.addComponent(true, buffer.retainedSlice(base + from, run));
                }
                from += run;
            }
        } finally {
            buffer.release();
        }
        return reply;
    }

    /** Length of the run of granules from there on that are all zeros, or all not. */
    private static int run(ByteBuffer bytes, int from) {
        boolean zero = isZero(bytes, from);
        int end = from;
        do {
            end = Math.min(bytes.limit(), end + GRANULE);
        } while (end < bytes.limit() && isZero(bytes, end) == zero);
        return end - from;
    }

    private static boolean isZero(ByteBuffer bytes, int from) {
        int length = Math.min(GRANULE, bytes.limit() - from);
        return bytes.get(from) == 0
                && bytes.get(from + length - 1) == 0
                && bytes.slice(from, length).mismatch(ZEROS.slice(0, length)) < 0;
    }
}
