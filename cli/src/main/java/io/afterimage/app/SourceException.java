package io.afterimage.app;

import java.io.IOException;

/** What was to be backed up cannot be read as asked. The message is one sentence for the user. */
public final class SourceException extends IOException {

    private static final long serialVersionUID = 1;

    public SourceException(String message) {
        super(message);
    }

    public SourceException(String message, Throwable cause) {
        super(message, cause);
    }
}
