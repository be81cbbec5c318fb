package io.afterimage.files;

import java.io.IOException;

/** This file, or this folder, cannot be read; others can. */
public final class UnreadableFileException extends IOException {

    private static final long serialVersionUID = 1;

    private final transient FilePath path;
    private final String reason;
    private final boolean absent;

    /**
     * About one file.
     *
     * @param reason why, without a full stop
     * @param absent there is nothing at that path
     */
    public UnreadableFileException(FilePath path, String reason, boolean absent) {
        super(path + " cannot be read: " + reason);
        this.path = path;
        this.reason = reason;
        this.absent = absent;
    }

    public boolean isAbsent() {
        return absent;
    }

    public FileProblem problem() {
        return new FileProblem(path, reason);
    }
}
