package io.afterimage.maintenance;

import io.afterimage.store.KeyPrefix;
import io.afterimage.store.ListPage;
import io.afterimage.store.ObjectKey;
import io.afterimage.store.ObjectStore;
import io.afterimage.store.StoreException;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Lets several threads use one store a request at a time, in an order that the test chooses: each waits before its next request until it is let go, and
 * the test goes on when it waits again or has ended. So whatever can come between two requests of one of them can be made to come.
 */
final class Turns {

    private static final int REMEMBERED = 120;

    private final ObjectStore store;
    private final long test = Thread.currentThread().threadId();
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();
    private final List<Turn> turns = new ArrayList<>();
    private final Deque<String> past = new ArrayDeque<>();

    Turns(ObjectStore store) {
        this.store = store;
    }

    private enum State {
        RUNNING,
        WAITING,
        ENDED
    }

    /** One of the threads. It must not have two requests under way at once. */
    final class Turn {

        private final String name;
        private State state = State.RUNNING;
        private String request = "";

        private Turn(String name) {
            this.name = name;
        }

        /** What it is going to ask for, such as {@code PUT points/web/…}. */
        String request() {
            return request;
        }

        /** Lets its request through, and returns when it waits for the next one or has ended. */
        void go() {
            lock.lock();
            try {
                note(name + " " + request);
                state = State.RUNNING;
                changed.signalAll();
                settle();
            } finally {
                lock.unlock();
            }
        }

        private void await(String next) {
            if (Thread.currentThread().threadId() == test) {
                return;
            }
            lock.lock();
            try {
                request = next;
                state = State.WAITING;
                changed.signalAll();
                while (state == State.WAITING) {
                    changed.awaitUninterruptibly();
                }
            } finally {
                lock.unlock();
            }
        }

        private void end() {
            lock.lock();
            try {
                state = State.ENDED;
                turns.remove(this);
                changed.signalAll();
            } finally {
                lock.unlock();
            }
        }

        /** The store as this thread sees it. */
        ObjectStore store() {
            return new TurnStore(this);
        }

        @Override
        public String toString() {
            return name;
        }
    }

    /** What a thread does with its store. */
    interface Work {
        void run(Turn turn);
    }

    /** Starts a thread and returns when it waits for its first request. */
    Turn start(String name, Work work) {
        Turn turn = new Turn(name);
        lock.lock();
        try {
            turns.add(turn);
            note(name + " begins");
            Thread.ofPlatform().daemon().name(name).start(() -> {
                try {
                    work.run(turn);
                } finally {
                    turn.end();
                }
            });
            settle();
        } finally {
            lock.unlock();
        }
        return turn;
    }

    /** Those that wait. */
    List<Turn> waiting() {
        lock.lock();
        try {
            return List.copyOf(turns);
        } finally {
            lock.unlock();
        }
    }

    void note(String event) {
        synchronized (past) {
            past.add(event);
            if (past.size() > REMEMBERED) {
                past.remove();
            }
        }
    }

    /** What happened last, for whoever looks for a defect. */
    String past() {
        synchronized (past) {
            return String.join("\n  ", past);
        }
    }

    private void settle() {
        while (turns.stream().anyMatch(turn -> turn.state == State.RUNNING)) {
            changed.awaitUninterruptibly();
        }
    }

    /** Waits for its thread's turn before each request. */
    private final class TurnStore implements ObjectStore {

        private final Turn turn;

        private TurnStore(Turn turn) {
            this.turn = turn;
        }

        @Override
        public void put(ObjectKey key, ByteBuffer... content) throws StoreException {
            turn.await("PUT " + key);
            store.put(key, content);
        }

        @Override
        public void get(ObjectKey key, long offset, ByteBuffer target) throws StoreException {
            turn.await("GET " + key);
            store.get(key, offset, target);
        }

        @Override
        public byte[] getWhole(ObjectKey key, int maxBytes) throws StoreException {
            turn.await("GET " + key);
            return store.getWhole(key, maxBytes);
        }

        @Override
        public ListPage list(KeyPrefix prefix, Optional<ObjectKey> after) throws StoreException {
            turn.await("LIST " + prefix + after.map(key -> " after " + key).orElse(""));
            return store.list(prefix, after);
        }

        @Override
        public void delete(Collection<ObjectKey> keys) throws StoreException {
            turn.await("DELETE " + keys);
            store.delete(keys);
        }

        @Override
        public void close() {}

        @Override
        public String toString() {
            return store.toString();
        }
    }
}
