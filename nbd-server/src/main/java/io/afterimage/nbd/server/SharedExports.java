package io.afterimage.nbd.server;

import java.io.IOException;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The exports in use, each opened once and closed with its last user. A name is opened and closed under its own lock: whoever
 * wants it meanwhile waits, so that a device is never opened again before it is closed.
 */
final class SharedExports {

    private static final Logger LOG = LoggerFactory.getLogger(SharedExports.class);

    private final Exports exports;
    private final ConcurrentHashMap<String, Entry> entries = new ConcurrentHashMap<>();

    SharedExports(Exports exports) {
        this.exports = exports;
    }

    private static final class Entry {
        final ReentrantLock lock = new ReentrantLock();
        final Condition closed = lock.newCondition();
        Export export;
        int users;
        boolean gone;
    }

    /** One user's hold on an opened export. */
    final class Use {
        private final String name;
        private final Entry entry;
        private final Export export;
        private boolean released;

        private Use(String name, Entry entry) {
            this.name = name;
            this.entry = entry;
            this.export = entry.export;
        }

        String name() {
            return name;
        }

        Export export() {
            return export;
        }

        /** Ends the use; closes the device if it was the last one. May block. Further calls do nothing. */
        void release() {
            entry.lock.lock();
            try {
                if (!released) {
                    released = true;
                    leave();
                }
            } finally {
                entry.lock.unlock();
            }
        }

        private void leave() {
            if (--entry.users > 0) {
                return;
            }
            try {
                export.device().close();
            } catch (IOException | RuntimeException e) {
                LOG.error("closing export '{}' failed", name, e);
            } finally {
                entry.gone = true;
                entries.remove(name, entry);
                entry.closed.signalAll();
            }
        }
    }

    /** A hold on that export, opened now unless somebody holds it; nothing if there is none of that name. */
    Optional<Use> use(String name) throws IOException {
        while (true) {
            Entry entry = entries.computeIfAbsent(name, _ -> new Entry());
            entry.lock.lock();
            try {
                if (entry.gone) {
                    continue;
                }
                if (entry.export == null && !open(name, entry)) {
                    return Optional.empty();
                }
                entry.users++;
                return Optional.of(new Use(name, entry));
            } finally {
                entry.lock.unlock();
            }
        }
    }

    /** Returns when every device is closed, or that time has passed. */
    void awaitUnused(Duration patience) {
        long deadline = System.nanoTime() + patience.toNanos();
        try {
            for (Entry entry : entries.values()) {
                entry.lock.lock();
                try {
                    long left = deadline - System.nanoTime();
                    while (!entry.gone && left > 0) {
                        left = entry.closed.awaitNanos(left);
                    }
                } finally {
                    entry.lock.unlock();
                }
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private boolean open(String name, Entry entry) throws IOException {
        try {
            entry.export = exports.open(name).orElse(null);
        } finally {
            if (entry.export == null) {
                entry.gone = true;
                entries.remove(name, entry);
            }
        }
        return entry.export != null;
    }
}
