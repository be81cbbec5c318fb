package io.afterimage.nbd.negotiation;

import io.afterimage.nbd.protocol.ExportInfo;
import java.io.IOException;
import java.util.Collection;

/**
 * What the handshake tells of an export.
 *
 * @param name the full name, also when the client asked for the default
 * @param description words for people; may be empty
 * @param info size, block sizes, and the flags that do not depend on what is negotiated
 * @param contexts the metadata contexts beside {@code base:allocation}, which every export has
 */
public record OfferedExport(String name, String description, ExportInfo info, ContextNames contexts) {

    /** Names of metadata contexts in the order to list them, looked for when a client asks. */
    @FunctionalInterface
    public interface ContextNames {

        /** May block. */
        Collection<String> list() throws IOException;
    }
}
