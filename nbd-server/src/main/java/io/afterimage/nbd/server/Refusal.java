package io.afterimage.nbd.server;

import io.afterimage.nbd.protocol.Command;
import io.afterimage.nbd.protocol.CommandFlags;
import io.afterimage.nbd.protocol.ExportInfo;
import io.afterimage.nbd.protocol.NbdError;
import io.afterimage.nbd.protocol.ReplyForm;
import io.afterimage.nbd.protocol.TransmissionFlags;

/** Why a request is not even begun. One object per reason: a flood of bad requests makes no garbage. */
record Refusal(NbdError error, String text) {

    static final Refusal SHUTDOWN = new Refusal(NbdError.ESHUTDOWN, NbdError.ESHUTDOWN.meaning());
    static final Refusal UNEXPECTED_PAYLOAD = new Refusal(NbdError.EINVAL, "this command carries no payload");
    static final Refusal TOO_LONG = new Refusal(NbdError.EINVAL, "longer than the largest payload of this export");
    private static final Refusal COMMAND = new Refusal(NbdError.EINVAL, "unknown command");
    private static final Refusal FLAGS = new Refusal(NbdError.EINVAL, "a flag that is not valid for this command here");
    private static final Refusal READ_ONLY = new Refusal(NbdError.EPERM, "the export is read-only");
    private static final Refusal EMPTY = new Refusal(NbdError.EINVAL, "a request for no bytes");
    private static final Refusal FLUSH_RANGE = new Refusal(NbdError.EINVAL, "FLUSH has no offset and no length");
    private static final Refusal BEYOND_END = new Refusal(NbdError.EINVAL, "beyond the end of the export");
    private static final Refusal NO_SPACE = new Refusal(NbdError.ENOSPC, "beyond the end of the export");
    private static final Refusal UNALIGNED = new Refusal(NbdError.EINVAL, "not a multiple of the smallest block");
    private static final Refusal NO_CONTEXT = new Refusal(NbdError.EINVAL, "no metadata context was selected");

    /**
     * Checks a request against what the export and the handshake allow. {@code offset} and {@code length} are unsigned.
     *
     * @return null if it may be tried
     */
    static Refusal check(
            Command command, int flags, long offset, long length, ExportInfo export, ReplyForm form, boolean hasContexts) {
        if (command == null) {
            return COMMAND;
        }
        boolean changes = command == Command.WRITE || command == Command.TRIM || command == Command.WRITE_ZEROES;
        if (changes && export.can(TransmissionFlags.READ_ONLY)) {
            return READ_ONLY;
        }
        if ((flags & ~validFlags(command, export, form)) != 0) {
            return FLAGS;
        }
        if (command == Command.FLUSH) {
            return offset == 0 && length == 0 ? null : FLUSH_RANGE;
        }
        if (command == Command.BLOCK_STATUS && !hasContexts) {
            return NO_CONTEXT;
        }
        return range(command, offset, length, export);
    }

    private static Refusal range(Command command, long offset, long length, ExportInfo export) {
        boolean takesSpace = command == Command.WRITE || command == Command.WRITE_ZEROES;
        // Compared from the far end, so that no sum can wrap; a size is never negative, so a "negative" operand is huge.
        if (length < 0 || offset < 0 || offset > export.size() || length > export.size() - offset) {
            boolean tooLong = command == Command.READ && Long.compareUnsigned(length, export.blockSizes().maximum()) > 0;
            return tooLong ? TOO_LONG : takesSpace ? NO_SPACE : BEYOND_END;
        }
        if (length == 0) {
            return EMPTY;
        }
        if (((offset | length) & (export.blockSizes().minimum() - 1)) != 0) {
            return UNALIGNED;
        }
        if ((command == Command.READ || command == Command.WRITE) && length > export.blockSizes().maximum()) {
            return TOO_LONG;
        }
        return null;
    }

    private static int validFlags(Command command, ExportInfo export, ReplyForm form) {
        int valid = command.validFlags();
        if (!form.isChunked()) {
            valid &= ~CommandFlags.DF;
        }
        if (!export.can(TransmissionFlags.SEND_FAST_ZERO)) {
            valid &= ~CommandFlags.FAST_ZERO;
        }
        boolean payload = form == ReplyForm.EXTENDED
                && (command == Command.WRITE || export.can(TransmissionFlags.BLOCK_STATUS_PAYLOAD));
        return payload ? valid : valid & ~CommandFlags.PAYLOAD_LEN;
    }
}
