package io.afterimage.repository;

import java.io.IOException;

/** A repository that cannot be used as it is. The message is one sentence for the user. */
public final class RepositoryException extends IOException {

    private static final long serialVersionUID = 1;

    /** What is wrong with it. */
    public enum Reason {
        NOT_A_REPOSITORY,
        NOT_EMPTY,
        UNSUPPORTED_FORMAT,
        DAMAGED
    }

    private final Reason reason;

    public RepositoryException(Reason reason, String message) {
        this(reason, message, null);
    }

    public RepositoryException(Reason reason, String message, Throwable cause) {
        super(message, cause);
        this.reason = reason;
    }

    public Reason reason() {
        return reason;
    }
}
