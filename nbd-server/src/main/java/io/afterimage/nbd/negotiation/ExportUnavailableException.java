package io.afterimage.nbd.negotiation;

import java.io.IOException;

/** An export exists and could not be opened; the message is one sentence that a client may see. */
public final class ExportUnavailableException extends IOException {

    private static final long serialVersionUID = 1;

    public ExportUnavailableException(String message, Throwable cause) {
        super(message, cause);
    }
}
