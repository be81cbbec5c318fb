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
        DAMAGED,
        /** It is encrypted, and there is no key. */
        KEY_NEEDED,
        WRONG_KEY,
        /** It is not encrypted, and there is a key. */
        NOT_ENCRYPTED,
        NO_SUCH_SLOT,
        LAST_SLOT,
        TOO_MANY_SLOTS,
        /** Two have changed the key slots at once. */
        SLOTS_CHANGED,
        /** Its store cannot keep objects from being deleted. */
        NO_OBJECT_LOCK,
        /** Objects are locked in another mode than they are to be. */
        OTHER_MODE
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
