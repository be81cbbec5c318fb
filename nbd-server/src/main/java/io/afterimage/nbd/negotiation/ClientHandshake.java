package io.afterimage.nbd.negotiation;

import io.afterimage.nbd.protocol.BlockSizes;
import io.afterimage.nbd.protocol.ExportInfo;
import io.afterimage.nbd.protocol.ExportSummary;
import io.afterimage.nbd.protocol.HandshakeFlags;
import io.afterimage.nbd.protocol.InfoType;
import io.afterimage.nbd.protocol.MetaContext;
import io.afterimage.nbd.protocol.Option;
import io.afterimage.nbd.protocol.OptionReply;
import io.afterimage.nbd.protocol.ProtocolException;
import io.afterimage.nbd.protocol.ReplyForm;
import io.afterimage.nbd.protocol.ReplyType;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * The client's side of one handshake, in the order of QEMU's own client: TLS, the best form of replies that the server has, the
 * metadata contexts all in one option, then GO; each step falls back when the server does not know it, except TLS, which is never
 * given up. Used by one thread.
 */
public final class ClientHandshake {

    /** Most replies to one option: a server that never stops listing is not listened to for ever. */
    private static final int MOST_REPLIES = 1 << 20;

    private static final byte[] NOTHING = {};

    private final HandshakeWire wire;
    private boolean fixed;
    private boolean padded;
    private ReplyForm form = ReplyForm.SIMPLE;

    public ClientHandshake(HandshakeWire wire) {
        this.wire = wire;
    }

    /**
     * Greets the server and settles TLS and the form of replies.
     *
     * @param tls whether TLS is demanded
     * @param best the best form to ask for
     */
    public void begin(boolean tls, ReplyForm best) throws IOException {
        int flags = wire.greeting();
        fixed = (flags & HandshakeFlags.FIXED_NEWSTYLE) != 0;
        padded = (flags & HandshakeFlags.NO_ZEROES) == 0;
        wire.clientFlags(flags & HandshakeFlags.KNOWN);
        if (tls) {
            if (!fixed) {
                throw new ProtocolException("TLS is demanded, and the server knows no options");
            }
            wire.send(Option.STARTTLS, NOTHING);
            ack(Option.STARTTLS);
            wire.startTls();
        }
        if (fixed && best == ReplyForm.EXTENDED && accepts(Option.EXTENDED_HEADERS)) {
            form = ReplyForm.EXTENDED;
        } else if (fixed && best.isChunked() && accepts(Option.STRUCTURED_REPLY)) {
            form = ReplyForm.STRUCTURED;
        }
    }

    /** Names and descriptions of the server's exports. */
    public List<ExportSummary> list() throws IOException {
        requireOptions();
        wire.send(Option.LIST, NOTHING);
        List<ExportSummary> exports = new ArrayList<>();
        for (OptionReply reply : replies(Option.LIST, ReplyType.SERVER)) {
            ByteBuffer payload = ByteBuffer.wrap(reply.payload());
            int length = payload.remaining() < 4 ? -1 : payload.getInt();
            if (length < 0 || length > payload.remaining()) {
                throw new ProtocolException("the server's list of exports is malformed");
            }
            exports.add(new ExportSummary(text(payload, length), text(payload, payload.remaining())));
        }
        return exports;
    }

    /** Names of all metadata contexts of an export; none if the server knows no such things. */
    public List<String> contexts(String export) throws IOException {
        requireOptions();
        wire.send(Option.LIST_META_CONTEXT, metaQuery(export, List.of()));
        try {
            return contexts(Option.LIST_META_CONTEXT).stream().map(MetaContext::name).toList();
        } catch (RefusedException e) {
            return withoutSupport(e, List.of());
        }
    }

    /** Selects the contexts that the server has, and begins the transmission. */
    public Agreed go(String export, List<String> wanted) throws IOException {
        List<MetaContext> contexts = List.of();
        if (form.isChunked() && !wanted.isEmpty()) {
            wire.send(Option.SET_META_CONTEXT, metaQuery(export, wanted));
            try {
                contexts = contexts(Option.SET_META_CONTEXT);
            } catch (RefusedException e) {
                contexts = withoutSupport(e, List.of());
            }
            for (MetaContext context : contexts) {
                if (!wanted.contains(context.name())) {
                    throw new ProtocolException("the server selected a context that was not asked for: "
                            + context.name());
                }
            }
        }
        if (!fixed) {
            return exportName(export);
        }
        byte[] name = export.getBytes(StandardCharsets.UTF_8);
        ByteBuffer payload = ByteBuffer.allocate(4 + name.length + 6).putInt(name.length).put(name);
        payload.putShort((short) 2).putShort((short) InfoType.BLOCK_SIZE).putShort((short) InfoType.DESCRIPTION);
        wire.send(Option.GO, payload.array());
        try {
            return agreed(replies(Option.GO, ReplyType.INFO), contexts);
        } catch (RefusedException e) {
            if (e.reason().equals(Optional.of(ReplyType.ERR_UNSUP)) && form != ReplyForm.EXTENDED) {
                return exportName(export);
            }
            throw e;
        }
    }

    /** Ends a handshake that was only meant to ask. */
    public void abort() throws IOException {
        if (fixed) {
            wire.send(Option.ABORT, NOTHING);
        }
    }

    private Agreed exportName(String export) throws IOException {
        wire.send(Option.EXPORT_NAME, export.getBytes(StandardCharsets.UTF_8));
        return new Agreed(form, wire.exportNameReply(padded), "", List.of());
    }

    private Agreed agreed(List<OptionReply> infos, List<MetaContext> contexts) throws ProtocolException {
        ExportInfo info = null;
        BlockSizes sizes = BlockSizes.DEFAULT;
        String description = "";
        for (OptionReply reply : infos) {
            ByteBuffer payload = ByteBuffer.wrap(reply.payload());
            int type = payload.remaining() < 2 ? -1 : Short.toUnsignedInt(payload.getShort());
            if (type == InfoType.EXPORT && payload.remaining() == 10) {
                info = new ExportInfo(payload.getLong(), Short.toUnsignedInt(payload.getShort()), sizes);
            } else if (type == InfoType.BLOCK_SIZE && payload.remaining() == 12) {
                sizes = sizes(payload.getInt(), payload.getInt(), payload.getInt());
            } else if (type == InfoType.DESCRIPTION) {
                description = text(payload, payload.remaining());
            } else if (type < 0 || type == InfoType.EXPORT || type == InfoType.BLOCK_SIZE) {
                throw new ProtocolException("the server's information on the export is malformed");
            }
        }
        if (info == null || info.size() < 0) {
            throw new ProtocolException("the server does not tell the size of the export");
        }
        return new Agreed(form, new ExportInfo(info.size(), info.flags(), sizes), description, contexts);
    }

    private static BlockSizes sizes(int minimum, int preferred, int maximum) throws ProtocolException {
        try {
            // Unsigned on the wire: a server without any limit says 2^32-1.
            int most = maximum < 0 ? 1 << 30 : maximum;
            return new BlockSizes(minimum, preferred, most - most % Math.max(1, minimum));
        } catch (IllegalArgumentException e) {
            throw new ProtocolException("the server's block sizes make no sense: " + e.getMessage());
        }
    }

    private boolean accepts(Option option) throws IOException {
        wire.send(option, NOTHING);
        try {
            ack(option);
            return true;
        } catch (RefusedException e) {
            return withoutSupport(e, false);
        }
    }

    /** What to go on with if the server does not know an option or will not have it; any other refusal stands. */
    private static <T> T withoutSupport(RefusedException refused, T fallback) throws RefusedException {
        return switch (refused.reason().orElse(null)) {
            case ERR_UNSUP, ERR_POLICY, ERR_INVALID, ERR_TOO_BIG -> fallback;
            case null, default -> throw refused;
        };
    }

    private List<MetaContext> contexts(Option option) throws IOException {
        List<MetaContext> contexts = new ArrayList<>();
        for (OptionReply reply : replies(option, ReplyType.META_CONTEXT)) {
            ByteBuffer payload = ByteBuffer.wrap(reply.payload());
            if (payload.remaining() < 4) {
                throw new ProtocolException("the server's list of contexts is malformed");
            }
            contexts.add(new MetaContext(payload.getInt(), text(payload, payload.remaining())));
        }
        return contexts;
    }

    private static byte[] metaQuery(String export, List<String> queries) {
        byte[] name = export.getBytes(StandardCharsets.UTF_8);
        List<byte[]> texts = queries.stream().map(query -> query.getBytes(StandardCharsets.UTF_8)).toList();
        int length = 8 + name.length + texts.stream().mapToInt(text -> 4 + text.length).sum();
        ByteBuffer payload = ByteBuffer.allocate(length).putInt(name.length).put(name).putInt(texts.size());
        texts.forEach(text -> payload.putInt(text.length).put(text));
        return payload.array();
    }

    private void ack(Option option) throws IOException {
        if (!replies(option, ReplyType.ACK).isEmpty()) {
            throw new ProtocolException("the server answers " + option + " with more than was asked");
        }
    }

    /** All replies before the acknowledgement; each must be of that type. */
    private List<OptionReply> replies(Option option, ReplyType type) throws IOException {
        List<OptionReply> replies = new ArrayList<>();
        while (replies.size() < MOST_REPLIES) {
            OptionReply reply = wire.receive();
            if (reply.option() != option.code()) {
                throw new ProtocolException("the server answers an option that was not sent");
            }
            if (reply.isError()) {
                throw new RefusedException(option, reply);
            }
            if (reply.is(ReplyType.ACK)) {
                return replies;
            }
            if (!reply.is(type)) {
                throw new ProtocolException("the server answers " + option + " with a reply of type " + reply.type());
            }
            replies.add(reply);
        }
        throw new ProtocolException("the server's answer to " + option + " does not end");
    }

    private void requireOptions() throws ProtocolException {
        if (!fixed) {
            throw new ProtocolException("the server knows no options");
        }
    }

    private static String text(ByteBuffer payload, int length) {
        String text = StandardCharsets.UTF_8.decode(payload.slice(payload.position(), length)).toString();
        payload.position(payload.position() + length);
        return text;
    }
}
