package io.afterimage.nbd.negotiation;

import io.afterimage.nbd.protocol.NbdString;
import io.afterimage.nbd.protocol.OptionReply;
import io.afterimage.nbd.protocol.ReplyType;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;

/** The replies to one option, on their way to the client. */
public final class OptionReplies {

    /** Takes replies one by one; may block while the client does not read. */
    public interface Out {
        void send(OptionReply reply) throws IOException;
    }

    private static final byte[] NOTHING = {};

    private final int option;
    private final Out out;

    OptionReplies(int option, Out out) {
        this.option = option;
        this.out = out;
    }

    Outcome ack() throws IOException {
        send(ReplyType.ACK, NOTHING);
        return new Outcome.Continue();
    }

    /** Refuses the option in one sentence; the handshake goes on. */
    Outcome refuse(ReplyType error, String sentence) throws IOException {
        send(error, sentence.getBytes(StandardCharsets.UTF_8));
        return new Outcome.Continue();
    }

    Outcome unknownExport(ServerState state, String name) throws IOException {
        if (state.tls == TlsMode.OPTIONAL && !state.secure) {
            return refuse(ReplyType.ERR_TLS_REQD, "there is no export " + NbdString.quote(name) + " without TLS");
        }
        return refuse(ReplyType.ERR_UNKNOWN, "there is no export " + NbdString.quote(name) + " here");
    }

    void send(ReplyType type, ByteBuffer payload) throws IOException {
        byte[] bytes = new byte[payload.remaining()];
        payload.get(bytes);
        send(type, bytes);
    }

    private void send(ReplyType type, byte[] payload) throws IOException {
        out.send(new OptionReply(option, type.code(), payload));
    }
}
