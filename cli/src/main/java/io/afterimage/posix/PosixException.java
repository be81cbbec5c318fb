package io.afterimage.posix;

import java.io.IOException;

/** The kernel of this host has refused something; the message is its own word for it. */
public final class PosixException extends IOException {

    private static final long serialVersionUID = 1;
    private static final int ESRCH = 3;
    private static final int EEXIST = 17;
    private static final int ENOSPC = 28;
    private static final int EROFS = 30;
    private static final int EDQUOT = 122;

    private final int errno;

    PosixException(int errno, String message) {
        super(message);
        this.errno = errno;
    }

    /** Something of that name is there already. */
    public boolean isThereAlready() {
        return errno == EEXIST;
    }

    /** There is no such process, or thread. */
    boolean isOfNobody() {
        return errno == ESRCH;
    }

    /** No other file can be written there either: no room, no quota, read-only. */
    public boolean isOfTheWholeFileSystem() {
        return errno == ENOSPC || errno == EDQUOT || errno == EROFS;
    }
}
