package io.afterimage.capture.agent;

import java.io.IOException;

/** The guest agent is not there, does not answer, refuses, or talks nonsense: one sentence says so. */
public final class AgentException extends IOException {

    private static final long serialVersionUID = 1L;

    private final boolean stuck;

    public AgentException(String message) {
        this(message, null);
    }

    public AgentException(String message, Throwable cause) {
        this(message, cause, false);
    }

    private AgentException(String message, Throwable cause, boolean stuck) {
        super(message, cause);
        this.stuck = stuck;
    }

    /** The guest may still be frozen, since it could not be thawed. */
    public static AgentException stuck(String message, Throwable cause) {
        return new AgentException(message, cause, true);
    }

    /** Whether the guest may still be frozen. */
    public boolean isStuck() {
        return stuck;
    }
}
