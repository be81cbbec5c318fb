package io.afterimage.guestfs;

import java.io.IOException;

/** A function of libguestfs has failed; the message is the library's, made safe for a terminal. */
final class GuestFsException extends IOException {

    private static final long serialVersionUID = 1;
    private static final int ENOENT = 2;
    private static final int ENOTDIR = 20;

    private final int errno;

    GuestFsException(String message, int errno) {
        super(message);
        this.errno = errno;
    }

    boolean isAbsent() {
        return errno == ENOENT || errno == ENOTDIR;
    }

    /** The last part of {@code function: path: reason}. */
    String reason() {
        String message = getMessage();
        return message.substring(message.lastIndexOf(": ") + 1).strip();
    }
}
