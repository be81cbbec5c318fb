package io.afterimage.nbd.negotiation;

import io.afterimage.nbd.protocol.NbdString;
import io.afterimage.nbd.protocol.ReplyForm;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Optional;

/** EXPORT_NAME: the old way in. It has no error reply: whatever is wrong ends the connection. */
final class ExportNameOption implements ServerOption {

    @Override
    public Outcome answer(ServerState state, ByteBuffer payload, OptionReplies replies) throws IOException {
        if (state.form == ReplyForm.EXTENDED) {
            return new Outcome.Close("EXPORT_NAME after EXTENDED_HEADERS, which demand GO");
        }
        byte[] bytes = new byte[payload.remaining()];
        payload.get(bytes);
        Optional<String> name = NbdString.decode(bytes);
        if (name.isEmpty()) {
            return new Outcome.Close("EXPORT_NAME without a valid name");
        }
        Optional<OfferedExport> chosen = state.offering.choose(name.get());
        if (chosen.isEmpty()) {
            return new Outcome.Close("no export " + NbdString.quote(name.get()));
        }
        OfferedExport export = chosen.get();
        return new Outcome.Transmit(state.form, state.contextsFor(export.name()), state.infoFor(export), true);
    }
}
