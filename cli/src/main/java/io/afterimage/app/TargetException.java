package io.afterimage.app;

import java.io.IOException;

/** Where something was to be put cannot take it. The message is one sentence for the user. */
public final class TargetException extends IOException {

    private static final long serialVersionUID = 1;

    public TargetException(String message) {
        super(message);
    }

    public TargetException(String message, Throwable cause) {
        super(message, cause);
    }
}
