package io.afterimage.nbd.server;

import io.afterimage.block.BlockDevice;
import io.afterimage.nbd.codec.ReplyEncoder;
import io.afterimage.nbd.protocol.CommandFlags;
import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import java.nio.ByteBuffer;
import java.util.List;

/**
 * Replies on their way out, on the event loop. Short ones gather in one buffer, so that a batch of requests costs one system call;
 * longer ones have a buffer of their own, filled by the device behind room for the header. No object is made per short reply.
 */
@SuppressWarnings("FutureReturnValueIgnored") // a failed write closes the channel
final class ReplyBatch implements LentReply.Runs {

    private static final int LONGEST_BATCH = 256 << 10;
    private static final int SHORTEST_BATCH = 8 << 10;
    /** Enough for many messages without data. */
    private static final int MESSAGES = 4 << 10;
    /** Longest read that is answered on the event loop: what is longer would hold up the other connections. */
    private static final int LONGEST_RESIDENT = 1 << 20;
    private static final int LONGEST_GATHERED = 32 << 10;
    /**
     * What is sent without waiting for the end of the batch, so that the client takes it while the rest is prepared. Little goes out
     * at once in large system calls only: by TCP, four of 256 KiB cost a fifth more than one of 1 MiB.
     */
    private static final int SENT_AT_ONCE = 1 << 20;

    private final ChannelHandlerContext ctx;
    private final BlockDevice device;
    private final ReplyEncoder encoder;
    private final LentReply lent;
    private ByteBuf gathered;
    /** Room for a batch such as the last ones were: the allocator keeps short buffers at hand, and the processor what it has just written. */
    private int capacity = SHORTEST_BATCH;
    private int unflushed;
    /** The read that {@link #lent} is for. */
    private long cookie;

    private long offset;

    ReplyBatch(ChannelHandlerContext ctx, Served served) {
        this.ctx = ctx;
        this.device = served.device();
        this.encoder = served.encoder();
        this.lent = new LentReply(ctx.alloc());
    }

    /** Answers a read if its bytes are at hand. */
    boolean readResident(long cookie, long offset, int length, int flags) {
        if (length > LONGEST_RESIDENT) {
            return false;
        }
        int header = encoder.dataHeaderLength();
        boolean small = length <= LONGEST_GATHERED;
        boolean whole = !encoder.form().isChunked() || (flags & CommandFlags.DF) != 0;
        if (!small && device.lendResident(offset, length, lent)) {
            this.cookie = cookie;
            this.offset = offset;
            lent.tell(offset, length, whole, this);
            return true;
        }
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
            send(reply);
        }
    }

    @Override
    public void data(long position, int length, List<ByteBuf> pieces, int from, int to, boolean last) {
        encoder.dataHeader(room(ReplyEncoder.LONGEST_MESSAGE), cookie, offset, position, length, last);
        write();
        for (ByteBuf piece : pieces.subList(from, to)) {
            send(piece);
        }
    }

    @Override
    public void hole(long position, int length, boolean last) {
        encoder.hole(room(ReplyEncoder.LONGEST_MESSAGE), cookie, offset, position, length, last);
    }

    void flush() {
        write();
        if (unflushed > 0) {
            unflushed = 0;
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
            capacity = Math.min(2 * capacity, LONGEST_BATCH);
            write();
            // Room that was made for a read which then was not resident is still there, empty and too small.
            release();
        }
        if (gathered == null) {
            gathered = ctx.alloc().directBuffer(bytes <= ReplyEncoder.LONGEST_MESSAGE ? MESSAGES : Math.max(bytes, capacity));
        }
        return gathered;
    }

    private void write() {
        if (gathered != null && gathered.isReadable()) {
            ByteBuf full = gathered;
            if (full.readableBytes() < capacity / 4) {
                capacity = Math.max(capacity / 2, SHORTEST_BATCH);
            }
            gathered = null;
            send(full);
        }
    }

    private void send(ByteBuf bytes) {
        unflushed += bytes.readableBytes();
        ctx.write(bytes, ctx.voidPromise());
        if (unflushed >= SENT_AT_ONCE) {
            unflushed = 0;
            ctx.flush();
        }
    }
}
