package io.afterimage.nbd.server;

import io.afterimage.block.ByteRange;
import io.afterimage.nbd.codec.ReplyEncoder;
import io.afterimage.nbd.protocol.ReplyForm;
import io.afterimage.nbd.protocol.StatusExtent;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/** BLOCK_STATUS: one chunk per context. */
record StatusOperation(
        Served served, ByteBufAllocator alloc, long cookie, long offset, long length, boolean one, List<Served.Context> contexts)
        implements TransmissionHandler.Operation {

    @Override
    public ByteBuf run() throws Exception {
        ByteRange range = new ByteRange(offset, length);
        ByteBuf reply = alloc.directBuffer(256);
        try {
            for (int i = 0; i < contexts.size(); i++) {
                Served.Context context = contexts.get(i);
                List<StatusExtent> extents = merged(context.source(), range);
                served.encoder().blockStatus(reply, cookie, offset, i == contexts.size() - 1, context.id(), extents);
            }
            if (contexts.isEmpty()) {
                served.encoder().end(reply, cookie, offset);
            }
            return reply;
        } catch (Throwable e) {
            reply.release();
            throw e;
        }
    }

    /** Equal neighbours become one: each extent costs a client that asks for one at a time a round trip. */
    private List<StatusExtent> merged(StatusSource source, ByteRange range) throws IOException {
        int most = one ? 1 : ReplyEncoder.MOST_EXTENTS;
        boolean narrow = served.form() != ReplyForm.EXTENDED;
        List<StatusExtent> merged = new ArrayList<>();
        long position = range.offset();
        while (position < range.end()) {
            List<StatusExtent> more = source.status(ByteRange.between(position, range.end()), most - merged.size() + 1);
            for (StatusExtent extent : more) {
                if (extent.range().offset() != position || extent.range().end() > range.end()) {
                    throw new IOException("the status of " + range + " has a gap or an overlap at " + extent);
                }
                if (narrow && extent.flags() >>> 32 != 0) {
                    throw new IOException("the flags of " + extent + " do not fit into 32 bits");
                }
                StatusExtent last = merged.isEmpty() ? null : merged.getLast();
                if (last != null && last.flags() == extent.flags()) {
                    merged.removeLast();
                    merged.add(new StatusExtent(ByteRange.between(last.range().offset(), extent.range().end()), extent.flags()));
                } else if (merged.size() == most) {
                    return merged;
                } else {
                    merged.add(extent);
                }
                position = extent.range().end();
            }
            if (more.isEmpty()) {
                throw new IOException("the status of " + range + " ends at " + position);
            }
        }
        return merged;
    }
}
