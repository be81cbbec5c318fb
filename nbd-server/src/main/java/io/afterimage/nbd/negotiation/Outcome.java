package io.afterimage.nbd.negotiation;

import io.afterimage.nbd.protocol.ExportInfo;
import io.afterimage.nbd.protocol.MetaContext;
import io.afterimage.nbd.protocol.ReplyForm;
import java.util.List;

/** What becomes of a connection after an option. */
public sealed interface Outcome {

    /** The next option is awaited. */
    record Continue() implements Outcome {}

    /** The acknowledgement has been given: the next bytes of the client belong to TLS. */
    record StartTls() implements Outcome {}

    /** Nothing more is to be said; {@code reason} is for the log. */
    record Close(String reason) implements Outcome {}

    /**
     * Requests follow, for the export chosen last.
     *
     * @param info what the client was told of the export, or, with {@code bare}, is to be told
     * @param bare after EXPORT_NAME: size and flags are still to be sent, without a header
     */
    record Transmit(ReplyForm form, List<MetaContext> contexts, ExportInfo info, boolean bare) implements Outcome {}
}
