package io.afterimage.nbd.server;

import io.afterimage.nbd.protocol.ExportSummary;
import java.io.IOException;
import java.util.Optional;

/**
 * What a server has to offer. Every method may block, and is called by many threads at once.
 *
 * <p>The server shares: while any connection uses a name, further connections that {@linkplain #admits are admitted} get the same
 * opened {@link Export}, so several connections of one client see one device, and a name that moves on (a latest point) stays what
 * it was for as long as somebody holds it. When the last has gone, the device is closed; the next opens it anew.
 */
public interface Exports {

    /** What this client may see, in the order to show it; produced as it is asked for, without opening anything. */
    Iterable<ExportSummary> list(Client client) throws IOException;

    /** The name that an empty name stands for, if this client has a default. */
    default Optional<String> defaultName(Client client) throws IOException {
        return Optional.empty();
    }

    /** Whether this client may use that name; asked for each connection, before anything is opened. */
    boolean admits(Client client, String name) throws IOException;

    /**
     * Opens an export that a client was admitted to.
     *
     * @return nothing if there is none of that name
     * @throws IOException when it is there and cannot be opened; the message is one sentence that the client is shown
     */
    Optional<Export> open(String name) throws IOException;
}
