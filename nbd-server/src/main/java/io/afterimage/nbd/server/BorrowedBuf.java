package io.afterimage.nbd.server;

import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.UnpooledUnsafeDirectByteBuf;
import java.nio.ByteBuffer;

/** Bytes of a device on their way to a socket; given back when they have been sent, or the connection has ended. */
final class BorrowedBuf extends UnpooledUnsafeDirectByteBuf {

    private final Runnable giveBack;

    BorrowedBuf(ByteBufAllocator alloc, ByteBuffer bytes, Runnable giveBack) {
        super(alloc, bytes, bytes.remaining());
        this.giveBack = giveBack;
    }

    @Override
    protected void deallocate() {
        super.deallocate();
        giveBack.run();
    }
}
