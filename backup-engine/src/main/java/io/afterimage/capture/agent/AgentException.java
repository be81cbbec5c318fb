package io.afterimage.capture.agent;

import java.io.IOException;

/** The guest agent is not there, does not answer, refuses, or talks nonsense: one sentence says so. */
public final class AgentException extends IOException {

    private static final long serialVersionUID = 1L;

    public AgentException(String message) {
        super(message);
    }

    public AgentException(String message, Throwable cause) {
        super(message, cause);
    }
}
