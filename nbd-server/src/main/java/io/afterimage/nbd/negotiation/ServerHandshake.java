package io.afterimage.nbd.negotiation;

import io.afterimage.nbd.protocol.HandshakeFlags;
import io.afterimage.nbd.protocol.Option;
import io.afterimage.nbd.protocol.OptionRequest;
import io.afterimage.nbd.protocol.ReplyType;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.EnumMap;
import java.util.Map;
import java.util.Optional;
import java.util.function.BooleanSupplier;

/**
 * The server's side of one handshake: handed the client's flags, then one option at a time, from one thread at a time. Calls may
 * block, since an export may be opened in them.
 */
public final class ServerHandshake {

    private static final Map<Option, ServerOption> OPTIONS = new EnumMap<>(Map.of(
            Option.EXPORT_NAME, new ExportNameOption(),
            Option.ABORT, new AbortOption(),
            Option.LIST, new ListOption(),
            Option.STARTTLS, new StartTlsOption(),
            Option.INFO, new InfoOption(false),
            Option.GO, new InfoOption(true),
            Option.STRUCTURED_REPLY, new StructuredReplyOption(),
            Option.LIST_META_CONTEXT, new MetaContextOption(false),
            Option.SET_META_CONTEXT, new MetaContextOption(true),
            Option.EXTENDED_HEADERS, new ExtendedHeadersOption()));

    /** A client that lists exports may ask this often about each. */
    private static final int OPTIONS_PER_LISTED = 8;

    private final ServerState state;
    private final int mostOptions;
    private final BooleanSupplier stopping;
    private boolean fixed;
    private long seen;

    /**
     * @param mostOptions how many options a client may send before it is dropped, beside eight per export listed
     * @param stopping whether the server is on its way out, asked at each option
     */
    public ServerHandshake(Offering offering, TlsMode tls, int mostOptions, BooleanSupplier stopping) {
        state = new ServerState(offering, tls);
        this.mostOptions = mostOptions;
        this.stopping = stopping;
    }

    /** The client's answer to the greeting. */
    public void clientFlags(int flags) {
        fixed = (flags & HandshakeFlags.FIXED_NEWSTYLE) != 0;
        state.padded = (flags & HandshakeFlags.NO_ZEROES) == 0;
    }

    /** Whether the bare answer to EXPORT_NAME is followed by 124 zeros. */
    public boolean padded() {
        return state.padded;
    }

    /** TLS stands: the handshake starts over on it. */
    public void secured() {
        state.secure = true;
        state.forget();
    }

    /** Answers one option through {@code out} and says how to go on. */
    public Outcome option(OptionRequest request, OptionReplies.Out out) throws IOException {
        if (++seen > mostOptions + OPTIONS_PER_LISTED * state.listed) {
            return new Outcome.Close("more than " + mostOptions + " options");
        }
        Optional<Option> option = Option.of(request.code());
        boolean repliable = option.isEmpty() || option.get() != Option.EXPORT_NAME;
        if (!fixed && repliable) {
            return new Outcome.Close("an option other than EXPORT_NAME from a client without fixed newstyle");
        }
        OptionReplies replies = new OptionReplies(request.code(), out);
        Optional<Refusal> refusal = refusal(option, request);
        if (refusal.isPresent()) {
            return repliable
                    ? replies.refuse(refusal.get().error(), refusal.get().sentence())
                    : new Outcome.Close("EXPORT_NAME refused: " + refusal.get().sentence());
        }
        try {
            return OPTIONS.get(option.orElseThrow()).answer(state, ByteBuffer.wrap(request.payload()), replies);
        } catch (ExportUnavailableException e) {
            return repliable
                    ? replies.refuse(ReplyType.ERR_UNKNOWN, e.getMessage())
                    : new Outcome.Close("EXPORT_NAME refused: " + e.getMessage());
        }
    }

    private record Refusal(ReplyType error, String sentence) {}

    private Optional<Refusal> refusal(Optional<Option> option, OptionRequest request) {
        boolean abort = option.isPresent() && option.get() == Option.ABORT;
        if (stopping.getAsBoolean() && !abort) {
            return Optional.of(new Refusal(ReplyType.ERR_SHUTDOWN, "the server is shutting down"));
        }
        boolean clear = abort || (option.isPresent() && option.get() == Option.STARTTLS);
        if (state.tls == TlsMode.REQUIRED && !state.secure && !clear) {
            return Optional.of(new Refusal(ReplyType.ERR_TLS_REQD, "this server demands TLS"));
        }
        if (option.isEmpty()) {
            return Optional.of(new Refusal(ReplyType.ERR_UNSUP, "this option is not known here"));
        }
        if (request.oversize() && !abort) {
            return Optional.of(new Refusal(ReplyType.ERR_TOO_BIG, "the option is too long"));
        }
        return Optional.empty();
    }
}
