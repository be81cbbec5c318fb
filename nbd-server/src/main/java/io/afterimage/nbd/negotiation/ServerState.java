package io.afterimage.nbd.negotiation;

import io.afterimage.nbd.protocol.ExportInfo;
import io.afterimage.nbd.protocol.MetaContext;
import io.afterimage.nbd.protocol.ReplyForm;
import io.afterimage.nbd.protocol.TransmissionFlags;
import java.util.List;

/** What has been agreed so far on one connection. */
final class ServerState {

    final Offering offering;
    final TlsMode tls;
    boolean secure;
    boolean padded;
    ReplyForm form = ReplyForm.SIMPLE;
    /** How many names were listed: a client may ask after each of them. */
    long listed;

    private String contextsOf;
    private List<MetaContext> contexts = List.of();

    ServerState(Offering offering, TlsMode tls) {
        this.offering = offering;
        this.tls = tls;
    }

    /** All that was said in the clear may have been said by a man in the middle: it is forgotten. */
    void forget() {
        form = ReplyForm.SIMPLE;
        clearContexts();
    }

    void clearContexts() {
        contextsOf = null;
        contexts = List.of();
    }

    void selectContexts(String export, List<MetaContext> selected) {
        contextsOf = export;
        contexts = List.copyOf(selected);
    }

    /** The contexts in force if that export is used now: a selection made for another export counts for nothing. */
    List<MetaContext> contextsFor(String export) {
        return export.equals(contextsOf) ? contexts : List.of();
    }

    /** What the export can do on a connection like this one. */
    ExportInfo infoFor(OfferedExport export) {
        int flags = form.isChunked() ? TransmissionFlags.SEND_DF : 0;
        if (form == ReplyForm.EXTENDED && !contextsFor(export.name()).isEmpty()) {
            flags |= TransmissionFlags.BLOCK_STATUS_PAYLOAD;
        }
        return export.info().with(flags);
    }
}
