package io.afterimage.nbd.protocol;

import java.io.IOException;

/** The peer broke the protocol in a way that leaves the stream of bytes without meaning: the connection cannot go on. */
public final class ProtocolException extends IOException {

    private static final long serialVersionUID = 1;

    public ProtocolException(String message) {
        super(message);
    }
}
