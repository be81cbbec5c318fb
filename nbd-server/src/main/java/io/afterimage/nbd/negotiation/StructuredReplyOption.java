package io.afterimage.nbd.negotiation;

import io.afterimage.nbd.protocol.ReplyForm;
import io.afterimage.nbd.protocol.ReplyType;
import java.io.IOException;
import java.nio.ByteBuffer;

/** STRUCTURED_REPLY: once, before EXTENDED_HEADERS, which contain it. */
final class StructuredReplyOption implements ServerOption {

    @Override
    public Outcome answer(ServerState state, ByteBuffer payload, OptionReplies replies) throws IOException {
        if (payload.hasRemaining()) {
            return replies.refuse(ReplyType.ERR_INVALID, "STRUCTURED_REPLY has no payload");
        }
        return switch (state.form) {
            case SIMPLE -> {
                state.form = ReplyForm.STRUCTURED;
                yield replies.ack();
            }
            case STRUCTURED -> replies.refuse(ReplyType.ERR_INVALID, "structured replies are already in use");
            case EXTENDED -> replies.refuse(ReplyType.ERR_EXT_HEADER_REQD, "extended headers are already in use");
        };
    }
}
