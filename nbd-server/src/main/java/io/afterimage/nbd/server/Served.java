package io.afterimage.nbd.server;

import io.afterimage.block.BlockDevice;
import io.afterimage.block.ByteRange;
import io.afterimage.block.DeviceFullException;
import io.afterimage.block.Extent;
import io.afterimage.block.ReadOnlyDeviceException;
import io.afterimage.nbd.codec.ReplyEncoder;
import io.afterimage.nbd.negotiation.Outcome;
import io.afterimage.nbd.protocol.Command;
import io.afterimage.nbd.protocol.CommandFlags;
import io.afterimage.nbd.protocol.ExportInfo;
import io.afterimage.nbd.protocol.MetaContext;
import io.afterimage.nbd.protocol.NbdError;
import io.afterimage.nbd.protocol.ProtocolException;
import io.afterimage.nbd.protocol.ReplyForm;
import io.afterimage.nbd.protocol.StatusExtent;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/** An export as one connection uses it: the device, what was agreed, and the words for its errors. Immutable. */
final class Served {

    /** A context that the connection selected, and who answers for it. */
    record Context(int id, StatusSource source) {}

    private final BlockDevice device;
    private final ExportInfo info;
    private final ReplyEncoder encoder;
    private final List<Context> contexts;

    Served(Outcome.Transmit agreed, Export export) {
        device = export.device();
        info = agreed.info();
        encoder = new ReplyEncoder(agreed.form());
        List<Context> selected = new ArrayList<>();
        for (MetaContext context : agreed.contexts()) {
            StatusSource source = context.name().equals(MetaContext.BASE_ALLOCATION)
                    ? this::allocation
                    : export.contexts().source(context.name());
            selected.add(new Context(context.id(), source));
        }
        contexts = List.copyOf(selected);
    }

    BlockDevice device() {
        return device;
    }

    ReplyEncoder encoder() {
        return encoder;
    }

    ReplyForm form() {
        return encoder.form();
    }

    List<Context> contexts() {
        return contexts;
    }

    /** Bytes that follow the request's header. */
    long payloadLength(Command command, int flags, long length) throws ProtocolException {
        boolean announced = form() == ReplyForm.EXTENDED && (flags & CommandFlags.PAYLOAD_LEN) != 0;
        // QEMU 10 does not announce the payload of its writes, although it must; there is no write without one.
        long payload = announced || command == Command.WRITE ? length : 0;
        if (payload < 0 || payload > 0xffffffffL) {
            throw new ProtocolException("a payload of " + Long.toUnsignedString(payload) + " bytes");
        }
        return payload;
    }

    /** Why the request is refused, or null if it may be tried. */
    Refusal check(Command command, int flags, long offset, long length, long payload) {
        if (payload > 0 && command != Command.WRITE && command != Command.BLOCK_STATUS) {
            return Refusal.UNEXPECTED_PAYLOAD;
        }
        // The effect length of a BLOCK_STATUS with a filter stands in its payload, and is checked when that is read.
        long effect = command == Command.BLOCK_STATUS && payload > 0 ? info.blockSizes().minimum() : length;
        return Refusal.check(command, flags, offset, effect, info, form(), !contexts.isEmpty());
    }

    void prefetch(long offset, long length) {
        device.prefetch(new ByteRange(offset, length));
    }

    /** Holes and zeros of the device as {@value MetaContext#BASE_ALLOCATION} spells them: a hole always reads as zeros, and says so. */
    private List<StatusExtent> allocation(ByteRange range, int limit) throws IOException {
        List<StatusExtent> status = new ArrayList<>();
        for (Extent extent : device.extents(range, limit)) {
            long flags = switch (extent.kind()) {
                case DATA -> 0;
                case ZERO -> MetaContext.STATE_ZERO;
                case HOLE -> MetaContext.STATE_HOLE | MetaContext.STATE_ZERO;
            };
            status.add(new StatusExtent(extent.range(), flags));
        }
        return status;
    }

    static NbdError errorFor(Throwable cause) {
        return switch (cause) {
            case ReadOnlyDeviceException _ -> NbdError.EPERM;
            case DeviceFullException _ -> NbdError.ENOSPC;
            case OutOfMemoryError _ -> NbdError.ENOMEM;
            default -> NbdError.EIO;
        };
    }

    /** What a client is told; causes may name files of this host, which are not its business. */
    static String wordsFor(Throwable cause) {
        NbdError error = errorFor(cause);
        return error == NbdError.EIO ? "input/output error; the server's log says why" : error.meaning();
    }
}
