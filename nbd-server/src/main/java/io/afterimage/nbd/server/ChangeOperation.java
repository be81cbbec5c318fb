package io.afterimage.nbd.server;

import io.afterimage.block.ByteRange;
import io.afterimage.nbd.codec.ReplyEncoder;
import io.afterimage.nbd.protocol.Command;
import io.afterimage.nbd.protocol.CommandFlags;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;

/** FLUSH, TRIM or WRITE_ZEROES. */
record ChangeOperation(
        Served served, ByteBufAllocator alloc, Command command, long cookie, long offset, long length, int flags)
        implements TransmissionHandler.Operation {

    @Override
    public ByteBuf run() throws Exception {
        ByteRange range = new ByteRange(offset, length);
        switch (command) {
            case TRIM -> served.device().trim(range);
            case WRITE_ZEROES -> served.device().zero(range, (flags & CommandFlags.NO_HOLE) == 0);
            default -> {}
        }
        if (command == Command.FLUSH || (flags & CommandFlags.FUA) != 0) {
            served.device().flush();
        }
        ByteBuf reply = alloc.directBuffer(ReplyEncoder.LONGEST_MESSAGE);
        served.encoder().success(reply, cookie, offset);
        return reply;
    }
}
