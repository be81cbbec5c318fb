package io.afterimage.nbd.negotiation;

import io.afterimage.nbd.protocol.ReplyType;
import java.io.IOException;
import java.nio.ByteBuffer;

/** STARTTLS: once, without payload, where the server has a certificate. */
final class StartTlsOption implements ServerOption {

    @Override
    public Outcome answer(ServerState state, ByteBuffer payload, OptionReplies replies) throws IOException {
        if (payload.hasRemaining()) {
            return replies.refuse(ReplyType.ERR_INVALID, "STARTTLS has no payload");
        }
        if (state.secure) {
            return replies.refuse(ReplyType.ERR_INVALID, "TLS is already in use");
        }
        if (state.tls == TlsMode.OFF) {
            return replies.refuse(ReplyType.ERR_POLICY, "this server is run without TLS");
        }
        replies.ack();
        return new Outcome.StartTls();
    }
}
