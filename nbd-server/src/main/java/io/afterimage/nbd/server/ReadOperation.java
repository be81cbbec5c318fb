package io.afterimage.nbd.server;

import io.afterimage.nbd.protocol.CommandFlags;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;

/** A READ whose bytes have to be waited for. No header goes out before the bytes behind it have been read. */
record ReadOperation(Served served, ByteBufAllocator alloc, long cookie, long offset, int length, int flags)
        implements TransmissionHandler.Operation {

    @Override
    public ByteBuf run() throws Exception {
        int header = served.encoder().dataHeaderLength();
        ByteBuf buffer = alloc.directBuffer(header + length);
        try {
            served.device().read(offset, buffer.nioBuffer(header, length));
        } catch (Throwable e) {
            buffer.release();
            throw e;
        }
        boolean whole = !served.form().isChunked() || (flags & CommandFlags.DF) != 0;
        return ReadReply.finish(served.encoder(), buffer, cookie, offset, offset, length, whole, true);
    }
}
