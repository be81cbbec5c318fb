package io.afterimage.nbd.client;

import io.afterimage.nbd.protocol.NbdError;
import java.io.IOException;

/** The server answered a request with an error. The connection is sound. */
public final class NbdErrorException extends IOException {

    private static final long serialVersionUID = 1;

    private final NbdError error;

    NbdErrorException(NbdError error, String message) {
        super(message);
        this.error = error;
    }

    public NbdError error() {
        return error;
    }
}
