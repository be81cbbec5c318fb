package io.afterimage.capture.agent;

import java.io.Closeable;
import java.io.IOException;
import java.time.Duration;

/** By what a guest's file systems are frozen and thawed: its agent, spoken to directly or by way of libvirt. For one thread; each call ends in time. */
public interface Freezer extends Closeable {

    /** Returns when the agent has shown that it is there and at our command, as far as can be told without freezing. */
    void awaitAnswer(Duration limit) throws AgentException;

    /**
     * Flushes and freezes all file systems, after the agent's own hooks. To be called after {@link #awaitAnswer} alone: what is sent to an
     * agent that is not there may be done when it comes, and nobody would thaw the guest then.
     *
     * @return how many, at least 1
     * @throws AgentException none is frozen, or, when there was no answer, some may be or may yet come to be: {@link #thaw}
     */
    int freeze(Duration limit) throws AgentException;

    /**
     * Thaws whatever is frozen; then the agent's hooks run. Harmless when nothing is.
     *
     * @return how many file systems were; fewer than were frozen means that some had been thawed before, and may have changed
     */
    int thaw(Duration limit) throws AgentException;

    @Override
    void close() throws IOException;

    /** Makes a connection, which may be lost and made again. */
    @FunctionalInterface
    interface Connector {
        /** Connects; does not yet know whether an agent answers. */
        Freezer connect() throws AgentException;
    }
}
