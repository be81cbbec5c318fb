package io.afterimage.nbd.negotiation;

import io.afterimage.nbd.protocol.NbdString;
import io.afterimage.nbd.protocol.Option;
import io.afterimage.nbd.protocol.OptionReply;
import io.afterimage.nbd.protocol.ReplyType;
import java.io.IOException;
import java.util.Optional;

/** The server refused an option that the client cannot do without. */
public final class RefusedException extends IOException {

    private static final long serialVersionUID = 1;

    private final int code;

    RefusedException(Option option, OptionReply reply) {
        super(sentence(option, reply));
        code = reply.type();
    }

    /** Why, if it is a reason known here. */
    public Optional<ReplyType> reason() {
        return ReplyType.of(code);
    }

    private static String sentence(Option option, OptionReply reply) {
        String reason = ReplyType.of(reply.type()).map(ReplyType::name).orElse("0x" + Integer.toHexString(reply.type()));
        String words = reply.text().isEmpty() ? "" : ": " + NbdString.quote(reply.text());
        return "the server refused " + option + " (" + reason + ")" + words;
    }
}
