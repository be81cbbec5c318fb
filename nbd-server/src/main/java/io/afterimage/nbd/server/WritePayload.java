package io.afterimage.nbd.server;

import io.afterimage.nbd.codec.ReplyEncoder;
import io.afterimage.nbd.protocol.CommandFlags;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;

/**
 * A WRITE whose data are arriving. They are written in pieces as they come, so that a client pays for memory by sending bytes, not
 * by announcing them. The piece that is finished last replies, for all: after a flush if FUA was asked, with the first failure if
 * there was any.
 */
final class WritePayload {

    private static final int LONGEST_PIECE = 1 << 20;

    private final Served served;
    private final ByteBufAllocator alloc;
    private final long cookie;
    private final long offset;
    private final int length;
    private final boolean fua;
    private final AtomicInteger unfinished;
    private final AtomicReference<Throwable> failure = new AtomicReference<>();
    private int taken;
    private ByteBuf piece;

    WritePayload(Served served, ByteBufAllocator alloc, long cookie, long offset, int length, int flags) {
        this.served = served;
        this.alloc = alloc;
        this.cookie = cookie;
        this.offset = offset;
        this.length = length;
        this.fua = (flags & CommandFlags.FUA) != 0;
        this.unfinished = new AtomicInteger(Math.ceilDiv(length, LONGEST_PIECE));
    }

    long cookie() {
        return cookie;
    }

    long offset() {
        return offset;
    }

    boolean hasPiece() {
        return piece != null;
    }

    /** Length of the piece at hand, or of the one to begin. */
    int nextLength() {
        return Math.min(LONGEST_PIECE, length - taken);
    }

    void beginPiece() {
        piece = alloc.directBuffer(nextLength(), nextLength());
    }

    /** Takes bytes; true when the piece is full. */
    boolean take(ByteBuf received) {
        int count = Math.min(piece.writableBytes(), received.readableBytes());
        piece.writeBytes(received, count);
        return !piece.isWritable();
    }

    /** Hands over the full piece. */
    TransmissionHandler.Operation handOver() {
        ByteBuf bytes = piece;
        long position = offset + taken;
        taken += bytes.readableBytes();
        piece = null;
        return () -> write(bytes, position);
    }

    boolean isComplete() {
        return taken == length;
    }

    void release() {
        if (piece != null) {
            piece.release();
            piece = null;
        }
    }

    private ByteBuf write(ByteBuf bytes, long position) throws Exception {
        try {
            served.device().write(position, bytes.nioBuffer());
        } catch (Exception | Error e) {
            failure.compareAndSet(null, e);
        } finally {
            bytes.release();
        }
        if (unfinished.decrementAndGet() > 0) {
            return null;
        }
        switch (failure.get()) {
            case Exception e -> throw e;
            case Error e -> throw e;
            case null, default -> {}
        }
        if (fua) {
            served.device().flush();
        }
        ByteBuf reply = alloc.directBuffer(ReplyEncoder.LONGEST_MESSAGE);
        served.encoder().success(reply, cookie, offset);
        return reply;
    }
}
