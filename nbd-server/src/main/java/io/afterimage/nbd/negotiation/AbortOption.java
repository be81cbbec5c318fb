package io.afterimage.nbd.negotiation;

import java.io.IOException;
import java.nio.ByteBuffer;

/** ABORT: acknowledged, whatever its payload, and the connection ends. */
final class AbortOption implements ServerOption {

    @Override
    public Outcome answer(ServerState state, ByteBuffer payload, OptionReplies replies) throws IOException {
        replies.ack();
        return new Outcome.Close("the client left");
    }
}
