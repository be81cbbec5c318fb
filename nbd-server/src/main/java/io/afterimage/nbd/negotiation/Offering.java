package io.afterimage.nbd.negotiation;

import io.afterimage.nbd.protocol.ExportSummary;
import java.io.IOException;
import java.util.Optional;

/** What the server of a handshake has for this one client. May block. */
public interface Offering {

    /** The names to choose from, produced as they are asked for. */
    Iterable<ExportSummary> list() throws IOException;

    /**
     * Opens an export and makes it the one that this connection will serve; what was chosen before is let go.
     *
     * @param name as the client wrote it; empty for the default
     * @return nothing if there is no such export for this client
     * @throws ExportUnavailableException when it exists and could not be opened
     */
    Optional<OfferedExport> choose(String name) throws IOException;
}
