package io.afterimage.nbd.negotiation;

import io.afterimage.nbd.protocol.ExportSummary;
import io.afterimage.nbd.protocol.ReplyType;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;

/** LIST: one SERVER reply per name, as the names come. */
final class ListOption implements ServerOption {

    @Override
    public Outcome answer(ServerState state, ByteBuffer payload, OptionReplies replies) throws IOException {
        if (payload.hasRemaining()) {
            return replies.refuse(ReplyType.ERR_INVALID, "LIST has no payload");
        }
        for (ExportSummary export : state.offering.list()) {
            byte[] name = export.name().getBytes(StandardCharsets.UTF_8);
            byte[] description = export.description().getBytes(StandardCharsets.UTF_8);
            ByteBuffer reply = ByteBuffer.allocate(4 + name.length + description.length);
            reply.putInt(name.length).put(name).put(description).flip();
            replies.send(ReplyType.SERVER, reply);
            state.listed++;
        }
        return replies.ack();
    }
}
