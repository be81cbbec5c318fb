package io.afterimage.catalog;

import java.io.IOException;

/** Something asked for by name is not there, or cannot be had now. The message is one sentence for the user. */
public final class CatalogException extends IOException {

    private static final long serialVersionUID = 1;

    /** What went wrong, for whoever must tell a program. */
    public enum Reason {
        NO_SUCH_MACHINE,
        NO_SUCH_POINT,
        NO_SUCH_DISK,
        NO_SUCH_DOCUMENT,
        AMBIGUOUS,
        NOT_A_SELECTOR,
        DAMAGED,
        UNSUPPORTED_FORMAT,
        BUSY,
        PROTECTED,
        IMMUTABLE
    }

    private final Reason reason;

    public CatalogException(Reason reason, String message) {
        super(message);
        this.reason = reason;
    }

    public CatalogException(Reason reason, String message, Throwable cause) {
        super(message, cause);
        this.reason = reason;
    }

    public Reason reason() {
        return reason;
    }
}
