package io.afterimage.guestfs;

import java.io.IOException;

/** The files of a guest cannot be had. The message is one sentence for the user. */
public final class GuestException extends IOException {

    private static final long serialVersionUID = 1;

    private final Reason reason;

    /** What kind of trouble it is. */
    public enum Reason {
        /** libguestfs is not there. */
        NOT_INSTALLED,
        /** It is, but its appliance does not come up. */
        NOT_STARTED,
        /** The appliance has ended, or does not answer: which a hostile file system can bring about. */
        ENDED,
        /** There is no volume, or no file, of that name. */
        NOT_FOUND,
        /** There is, but it holds nothing that can be mounted, or what it holds is damaged. */
        NO_FILE_SYSTEM
    }

    public GuestException(Reason reason, String message) {
        this(reason, message, null);
    }

    public GuestException(Reason reason, String message, Throwable cause) {
        super(message, cause);
        this.reason = reason;
    }

    public Reason reason() {
        return reason;
    }
}
