package io.afterimage.app;

import java.io.IOException;

/** There is no usable key where one should be. The message is one sentence for the user. */
public final class KeyException extends IOException {

    private static final long serialVersionUID = 1;

    public KeyException(String message) {
        super(message);
    }

    public KeyException(String message, Throwable cause) {
        super(message, cause);
    }
}
