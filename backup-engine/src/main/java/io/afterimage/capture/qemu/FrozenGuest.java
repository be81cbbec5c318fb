package io.afterimage.capture.qemu;

import io.afterimage.capture.agent.AgentException;
import io.afterimage.capture.agent.Freezer;
import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/**
 * A guest whose file systems are frozen, for a limited time: when nobody has thawed it by then, it thaws itself. Lives in the
 * {@link Watchdog}, whose end of the pipe tells when the backup is dead. Thread-safe.
 */
final class FrozenGuest {

    /** For the agent to run its hooks after the thaw, too. */
    static final Duration THAW_LIMIT = Duration.ofSeconds(20);

    private final Freezer.Connector connector;
    private final Freezer agent;
    private final Duration limit;
    private final long since = System.nanoTime();
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition over = lock.newCondition();
    private int count;
    private boolean thawed;

    private FrozenGuest(Freezer.Connector connector, Freezer agent, Duration limit) {
        this.connector = connector;
        this.agent = agent;
        this.limit = limit;
    }

    /**
     * Freezes it.
     *
     * @param limit from now to the thaw, the freezing included
     * @throws AgentException it is not frozen, as far as can be known: what may have been frozen was thawed, or the thaw is with the agent
     */
    static FrozenGuest freeze(Freezer.Connector connector, Duration limit) throws IOException {
        Freezer agent = connector.connect();
        try {
            var guest = new FrozenGuest(connector, agent, limit);
            agent.awaitAnswer(limit);
            try {
                guest.count = agent.freeze(guest.left());
            } catch (AgentException e) {
                throw guest.thawAfter(e);
            }
            Thread.ofPlatform().daemon().name("thaw-in-time").start(guest::thawInTime);
            return guest;
        } catch (IOException e) {
            agent.close();
            throw e;
        }
    }

    /** How many file systems are frozen. */
    int count() {
        return count;
    }

    /**
     * Thaws it.
     *
     * @throws AgentException it was not frozen all the time, or may still be so
     */
    void thaw() throws IOException {
        lock.lock();
        try {
            if (thawed) {
                throw new AgentException("the guest was thawed after " + limit.toSeconds() + " s, before the disks were cut: give the freeze more time");
            }
            thawed = true;
            over.signalAll();
            int thawedNow = thawSurely();
            if (thawedNow < count) {
                throw new AgentException("of " + count + " file systems that the guest agent had frozen, only " + thawedNow
                        + " were so at the end: another program has thawed them, or the agent");
            }
        } finally {
            lock.unlock();
        }
    }

    /** A connection that broke meanwhile is no reason to leave the guest as it is. */
    private int thawSurely() throws IOException {
        try (agent) {
            return agent.thaw(THAW_LIMIT);
        } catch (AgentException e) {
            agent.close();
            try {
                return thaw(connector);
            } catch (AgentException again) {
                e.addSuppressed(again);
                throw AgentException.stuck(e.getMessage(), e);
            }
        }
    }

    /** Thaws a guest that others have frozen, and left so. */
    static int thaw(Freezer.Connector connector) throws IOException {
        try (Freezer agent = connector.connect()) {
            return agent.thaw(THAW_LIMIT);
        }
    }

    private Duration left() {
        return limit.minusNanos(System.nanoTime() - since);
    }

    private AgentException thawAfter(AgentException failure) {
        try {
            agent.thaw(THAW_LIMIT);
            return failure;
        } catch (AgentException e) {
            failure.addSuppressed(e);
            return AgentException.stuck(failure.getMessage(), failure);
        }
    }

    private void thawInTime() {
        lock.lock();
        try {
            while (!thawed && !left().isNegative()) {
                over.await(Math.max(1, left().toMillis()), TimeUnit.MILLISECONDS);
            }
            if (!thawed) {
                thawed = true;
                thawSurely();
            }
        } catch (InterruptedException | IOException e) {
            // Nobody to tell: the backup finds out when it thaws, and its outcome is the same.
        } finally {
            lock.unlock();
        }
    }
}
