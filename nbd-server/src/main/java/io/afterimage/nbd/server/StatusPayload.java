package io.afterimage.nbd.server;

import io.afterimage.nbd.protocol.Command;
import io.afterimage.nbd.protocol.NbdError;
import io.netty.buffer.ByteBuf;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** The payload of a BLOCK_STATUS with extended headers, while it arrives: an effect length and the ids of the contexts wanted. */
final class StatusPayload {

    private static final Refusal MALFORMED = new Refusal(NbdError.EINVAL, "the list of contexts is malformed");
    private static final Refusal UNKNOWN = new Refusal(NbdError.EINVAL, "a context that was not selected, or twice the same");

    private final long cookie;
    private final long offset;
    private final int flags;
    private final long payload;
    private long left;
    private boolean malformed;
    private long length;
    private final Set<Integer> ids = new HashSet<>();
    private long count;

    StatusPayload(long cookie, long offset, long payload, int flags) {
        this.cookie = cookie;
        this.offset = offset;
        this.payload = payload;
        this.left = payload;
        this.flags = flags;
        this.malformed = payload < 8 || payload % 4 != 0;
    }

    long cookie() {
        return cookie;
    }

    long offset() {
        return offset;
    }

    long length() {
        return length;
    }

    int flags() {
        return flags;
    }

    /** Takes bytes; true when the payload is complete. Ids beyond any legal number are dropped as they come. */
    boolean take(ByteBuf received) {
        if (malformed) {
            int skipped = (int) Math.min(left, received.readableBytes());
            received.skipBytes(skipped);
            left -= skipped;
            return left == 0;
        }
        if (left == payload) {
            if (received.readableBytes() < 8) {
                return false;
            }
            length = received.readLong();
            left -= 8;
        }
        while (left > 0 && received.readableBytes() >= 4) {
            int id = received.readInt();
            left -= 4;
            count++;
            if (count <= 1024) {
                ids.add(id);
            }
        }
        return left == 0;
    }

    /** Why the request is refused, or null if it may be tried. */
    Refusal refusal(Served served) {
        if (malformed) {
            return MALFORMED;
        }
        if (ids.size() != count || selected(served).size() != count) {
            return UNKNOWN;
        }
        return served.check(Command.BLOCK_STATUS, flags, offset, length, 0);
    }

    List<Served.Context> selected(Served served) {
        List<Served.Context> selected = new ArrayList<>();
        for (Served.Context context : served.contexts()) {
            if (ids.contains(context.id())) {
                selected.add(context);
            }
        }
        return selected;
    }
}
