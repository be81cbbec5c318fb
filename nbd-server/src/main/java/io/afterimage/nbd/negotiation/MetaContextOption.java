package io.afterimage.nbd.negotiation;

import io.afterimage.nbd.protocol.MetaContext;
import io.afterimage.nbd.protocol.ReplyForm;
import io.afterimage.nbd.protocol.ReplyType;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * LIST_META_CONTEXT and SET_META_CONTEXT. A query names a context in full; in a list, one that ends with a colon or a slash
 * asks for all contexts that begin so, and no query at all asks for every context.
 */
final class MetaContextOption implements ServerOption {

    /** Most contexts of one connection: each costs a walk through the device's map at every BLOCK_STATUS. */
    static final int MOST_SELECTED = 32;

    private final boolean set;

    MetaContextOption(boolean set) {
        this.set = set;
    }

    @Override
    public Outcome answer(ServerState state, ByteBuffer payload, OptionReplies replies) throws IOException {
        if (set) {
            // The old selection is gone whatever becomes of this option.
            state.clearContexts();
            if (state.form == ReplyForm.SIMPLE) {
                return replies.refuse(ReplyType.ERR_INVALID, "SET_META_CONTEXT comes after STRUCTURED_REPLY or EXTENDED_HEADERS");
            }
        }
        String name;
        Set<String> queries = new LinkedHashSet<>();
        boolean all;
        try {
            OptionPayload parts = new OptionPayload(payload);
            name = parts.string("export name");
            long count = Integer.toUnsignedLong(parts.number32("number of queries"));
            all = count == 0 && !set;
            for (long i = 0; i < count; i++) {
                queries.add(parts.string("query"));
            }
            parts.end();
        } catch (OptionPayload.Malformed e) {
            return replies.refuse(ReplyType.ERR_INVALID, e.getMessage());
        }
        Optional<OfferedExport> chosen = state.offering.choose(name);
        if (chosen.isEmpty()) {
            return replies.unknownExport(state, name);
        }
        OfferedExport export = chosen.get();
        List<MetaContext> found = numbered(all ? contexts(export) : find(export, queries));
        if (set) {
            if (found.size() > MOST_SELECTED) {
                return replies.refuse(ReplyType.ERR_TOO_BIG, "at most " + MOST_SELECTED + " contexts can be selected");
            }
            state.selectContexts(export.name(), found);
        }
        for (MetaContext context : found) {
            byte[] leaf = context.name().getBytes(StandardCharsets.UTF_8);
            ByteBuffer reply = ByteBuffer.allocate(4 + leaf.length).putInt(set ? context.id() : 0).put(leaf);
            replies.send(ReplyType.META_CONTEXT, reply.flip());
        }
        return replies.ack();
    }

    private Set<String> find(OfferedExport export, Set<String> queries) throws IOException {
        if (queries.stream().allMatch(MetaContext.BASE_ALLOCATION::equals)) {
            // Nearly every client asks for this one alone; the others may cost a listing.
            return queries;
        }
        Set<String> contexts = contexts(export);
        Set<String> found = new LinkedHashSet<>();
        for (String query : queries) {
            if (contexts.contains(query)) {
                found.add(query);
            } else if (!set && (query.endsWith(":") || query.endsWith("/"))) {
                contexts.stream().filter(context -> context.startsWith(query)).forEach(found::add);
            }
        }
        return found;
    }

    private static Set<String> contexts(OfferedExport export) throws IOException {
        Set<String> contexts = new LinkedHashSet<>();
        contexts.add(MetaContext.BASE_ALLOCATION);
        contexts.addAll(export.contexts().list());
        return contexts;
    }

    private static List<MetaContext> numbered(Set<String> names) {
        List<MetaContext> numbered = new ArrayList<>();
        for (String name : names) {
            numbered.add(new MetaContext(numbered.size() + 1, name));
        }
        return numbered;
    }
}
