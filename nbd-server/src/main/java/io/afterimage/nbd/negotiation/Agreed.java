package io.afterimage.nbd.negotiation;

import io.afterimage.nbd.protocol.ExportInfo;
import io.afterimage.nbd.protocol.MetaContext;
import io.afterimage.nbd.protocol.ReplyForm;
import java.util.List;

/**
 * What a client and a server have agreed on.
 *
 * @param form how messages look
 * @param info the export
 * @param description the server's words for it; may be empty
 * @param contexts those of the wanted metadata contexts that the server has
 */
public record Agreed(ReplyForm form, ExportInfo info, String description, List<MetaContext> contexts) {}
