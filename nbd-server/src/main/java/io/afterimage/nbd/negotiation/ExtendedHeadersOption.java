package io.afterimage.nbd.negotiation;

import io.afterimage.nbd.protocol.ReplyForm;
import io.afterimage.nbd.protocol.ReplyType;
import java.io.IOException;
import java.nio.ByteBuffer;

/** EXTENDED_HEADERS: once, with or without STRUCTURED_REPLY before it. */
final class ExtendedHeadersOption implements ServerOption {

    @Override
    public Outcome answer(ServerState state, ByteBuffer payload, OptionReplies replies) throws IOException {
        if (payload.hasRemaining()) {
            return replies.refuse(ReplyType.ERR_INVALID, "EXTENDED_HEADERS has no payload");
        }
        if (state.form == ReplyForm.EXTENDED) {
            return replies.refuse(ReplyType.ERR_INVALID, "extended headers are already in use");
        }
        state.form = ReplyForm.EXTENDED;
        return replies.ack();
    }
}
