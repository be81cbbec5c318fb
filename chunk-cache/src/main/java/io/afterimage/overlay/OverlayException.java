package io.afterimage.overlay;

import java.io.IOException;

/** An overlay cannot be used. The message is one sentence for the user. */
public final class OverlayException extends IOException {

    private static final long serialVersionUID = 1;

    /** What went wrong, for whoever must tell a program. */
    public enum Reason {
        /** Another process, or another user in this one, has it. */
        IN_USE,
        /** Its files are not as they were left. */
        DAMAGED,
        /** A later program made it. */
        UNSUPPORTED_FORMAT,
        NO_SUCH_OVERLAY,
        EXISTS,
        /** What it stands on is not there any more. */
        BASE_LOST
    }

    private final Reason reason;

    public OverlayException(Reason reason, String message) {
        super(message);
        this.reason = reason;
    }

    public OverlayException(Reason reason, String message, Throwable cause) {
        super(message, cause);
        this.reason = reason;
    }

    public Reason reason() {
        return reason;
    }
}
