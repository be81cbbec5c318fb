package io.afterimage.nbd.negotiation;

import io.afterimage.nbd.protocol.ExportInfo;
import java.util.Set;

/**
 * What the handshake tells of an export.
 *
 * @param name the full name, also when the client asked for the default
 * @param description words for people; may be empty
 * @param info size, block sizes, and the flags that do not depend on what is negotiated
 * @param contexts names of all metadata contexts, in the order to list them
 */
public record OfferedExport(String name, String description, ExportInfo info, Set<String> contexts) {}
