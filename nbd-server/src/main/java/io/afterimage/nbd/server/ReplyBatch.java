package io.afterimage.nbd.server;

import io.afterimage.block.BlockDevice;
import io.afterimage.nbd.codec.ReplyEncoder;
import io.afterimage.nbd.protocol.CommandFlags;
import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import java.nio.ByteBuffer;

/**
 * Replies on their way out, on the event loop. Short ones gather in one buffer, so that a batch of requests costs one system call;
 * longer ones have a buffer of their own, filled by the device behind room for the header. No object is made per short reply.
 */
@SuppressWarnings("FutureReturnValueIgnored") // a failed write closes the channel
final class ReplyBatch {

    private static final int CAPACITY = 256 << 10;
    /** Longest read that is answered on the event loop: what is longer would hold up the other connections. */
    private static final int LONGEST_RESIDENT = 1 << 20;
    private static final int LONGEST_GATHERED = 32 << 10;

    private final ChannelHandlerContext ctx;
    private final BlockDevice device;
    private final ReplyEncoder encoder;
    private ByteBuf gathered;
    private boolean unflushed;

    ReplyBatch(ChannelHandlerContext ctx, Served served) {
        this.ctx = ctx;
        this.device = served.device();
        this.encoder = served.encoder();
    }

    /** Answers a read if its bytes are at hand. */
    boolean readResident(long cookie, long offset, int length, int flags) {
        if (length > LONGEST_RESIDENT) {
            return false;
        }
        int header = encoder.dataHeaderLength();
        boolean small = length <= LONGEST_GATHERED;
        ByteBuf out = small ? room(header + length) : ctx.alloc().directBuffer(header + length);
        int start = out.writerIndex();
        ByteBuffer target = out.internalNioBuffer(start + header, length);
        if (!device.readResident(offset, target)) {
            if (!small) {
                out.release();
            }
            return false;
        }
        if (small) {
            encoder.dataHeader(out, cookie, offset, offset, length, true);
            out.writerIndex(start + header + length);
        } else {
            boolean whole = !encoder.form().isChunked() || (flags & CommandFlags.DF) != 0;
            append(ReadReply.finish(encoder, out, cookie, offset, offset, length, whole, true));
        }
        return true;
    }

    void success(long cookie, long offset) {
        encoder.success(room(ReplyEncoder.LONGEST_MESSAGE), cookie, offset);
    }

    void error(long cookie, long offset, Refusal refusal) {
        encoder.error(room(ReplyEncoder.LONGEST_MESSAGE), cookie, offset, refusal.error(), refusal.text());
    }

    /** Sends a reply made elsewhere behind what was gathered so far. */
    void append(ByteBuf reply) {
        if (reply.readableBytes() <= LONGEST_GATHERED) {
            room(reply.readableBytes()).writeBytes(reply);
            reply.release();
        } else {
            write();
            ctx.write(reply, ctx.voidPromise());
            unflushed = true;
        }
    }

    void flush() {
        write();
        if (unflushed) {
            unflushed = false;
            ctx.flush();
        }
    }

    void release() {
        if (gathered != null) {
            gathered.release();
            gathered = null;
        }
    }

    private ByteBuf room(int bytes) {
        if (gathered != null && gathered.writableBytes() < bytes) {
            write();
        }
        if (gathered == null) {
            gathered = ctx.alloc().directBuffer(CAPACITY, CAPACITY);
        }
        return gathered;
    }

    private void write() {
        if (gathered != null && gathered.isReadable()) {
            ctx.write(gathered, ctx.voidPromise());
            gathered = null;
            unflushed = true;
        }
    }
}
