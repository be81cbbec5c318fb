package io.afterimage.nbd.negotiation;

import io.afterimage.nbd.protocol.BlockSizes;
import io.afterimage.nbd.protocol.ExportInfo;
import io.afterimage.nbd.protocol.InfoType;
import io.afterimage.nbd.protocol.ReplyType;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.HashSet;
import java.util.Optional;
import java.util.Set;

/** INFO and GO: the same answers; GO begins the transmission. */
final class InfoOption implements ServerOption {

    private final boolean go;

    InfoOption(boolean go) {
        this.go = go;
    }

    @Override
    public Outcome answer(ServerState state, ByteBuffer payload, OptionReplies replies) throws IOException {
        String name;
        Set<Integer> wanted = new HashSet<>();
        try {
            OptionPayload parts = new OptionPayload(payload);
            name = parts.string("export name");
            int count = parts.number16("number of information requests");
            for (int i = 0; i < count; i++) {
                wanted.add(parts.number16("information request"));
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
        describe(export, state.infoFor(export), wanted, replies);
        replies.ack();
        return go
                ? new Outcome.Transmit(state.form, state.contextsFor(export.name()), state.infoFor(export), false)
                : new Outcome.Continue();
    }

    private static void describe(OfferedExport export, ExportInfo info, Set<Integer> wanted, OptionReplies replies)
            throws IOException {
        if (wanted.contains(InfoType.NAME)) {
            replies.send(ReplyType.INFO, text(InfoType.NAME, export.name()));
        }
        if (wanted.contains(InfoType.DESCRIPTION) && !export.description().isEmpty()) {
            replies.send(ReplyType.INFO, text(InfoType.DESCRIPTION, export.description()));
        }
        if (wanted.contains(InfoType.BLOCK_SIZE)) {
            BlockSizes sizes = info.blockSizes();
            ByteBuffer reply = ByteBuffer.allocate(14).putShort((short) InfoType.BLOCK_SIZE);
            reply.putInt(sizes.minimum()).putInt(sizes.preferred()).putInt(sizes.maximum());
            replies.send(ReplyType.INFO, reply.flip());
        }
        ByteBuffer reply = ByteBuffer.allocate(12).putShort((short) InfoType.EXPORT);
        replies.send(ReplyType.INFO, reply.putLong(info.size()).putShort((short) info.flags()).flip());
    }

    private static ByteBuffer text(int type, String text) {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        return ByteBuffer.allocate(2 + bytes.length).putShort((short) type).put(bytes).flip();
    }
}
