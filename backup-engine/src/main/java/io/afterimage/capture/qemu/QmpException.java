package io.afterimage.capture.qemu;

import java.io.IOException;

/** QEMU could not be reached, did not answer, refused, or is in a state that does not allow what was asked: one sentence says so. */
public class QmpException extends IOException {

    private static final long serialVersionUID = 1L;

    public QmpException(String message) {
        super(message);
    }

    public QmpException(String message, Throwable cause) {
        super(message, cause);
    }
}
