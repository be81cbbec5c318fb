package io.afterimage.capture.qemu;

import java.io.IOException;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Optional;
import java.util.Queue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import java.util.function.Predicate;

/**
 * The events of one connection since the moment of {@link QmpClient#subscribe}, in order. Subscribe before the command
 * whose effect is awaited, and nothing can be missed. Thread-safe.
 */
public final class QmpEvents implements AutoCloseable {

    /** A subscriber that never looks must not let a talkative peer fill the memory: then the oldest go. */
    private static final int MAX_QUEUED = 10_000;

    private final Predicate<QmpEvent> filter;
    private final Consumer<QmpEvents> onClose;
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();
    private final Queue<QmpEvent> queue = new ArrayDeque<>();
    private QmpException lost;

    QmpEvents(Predicate<QmpEvent> filter, Consumer<QmpEvents> onClose) {
        this.filter = filter;
        this.onClose = onClose;
    }

    /**
     * Takes the next event.
     *
     * @return empty when none came within {@code timeout}
     * @throws QmpException when the connection is lost and no event is left to take
     */
    public Optional<QmpEvent> poll(Duration timeout) throws IOException {
        long nanos = timeout.toNanos();
        lock.lock();
        try {
            while (queue.isEmpty() && lost == null && nanos > 0) {
                nanos = changed.awaitNanos(nanos);
            }
            if (queue.isEmpty() && lost != null) {
                throw new QmpException(lost.getMessage(), lost);
            }
            return Optional.ofNullable(queue.poll());
        } catch (InterruptedException e) {
            throw QmpClient.interrupted(e);
        } finally {
            lock.unlock();
        }
    }

    /**
     * Takes events until one fulfils {@code wanted}; those before it are dropped.
     *
     * @throws QmpException when it did not come within {@code timeout}, or the connection is lost
     */
    public QmpEvent await(String what, Predicate<QmpEvent> wanted, Duration timeout) throws IOException {
        long deadline = System.nanoTime() + timeout.toNanos();
        while (true) {
            QmpEvent event = poll(Duration.ofNanos(deadline - System.nanoTime()))
                    .orElseThrow(() -> new QmpException(
                            "QEMU did not report " + what + " within " + TimeUnit.NANOSECONDS.toSeconds(timeout.toNanos()) + " s"));
            if (wanted.test(event)) {
                return event;
            }
        }
    }

    @Override
    public void close() {
        onClose.accept(this);
    }

    void offer(QmpEvent event) {
        if (!filter.test(event)) {
            return;
        }
        lock.lock();
        try {
            if (queue.size() == MAX_QUEUED) {
                queue.remove();
            }
            queue.add(event);
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    void connectionLost(QmpException cause) {
        lock.lock();
        try {
            lost = cause;
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }
}
