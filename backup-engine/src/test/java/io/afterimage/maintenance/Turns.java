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

/**
 * Lets several threads use one store a request at a time, in an order that the test chooses: each waits before its next request until it is let go, and
 * the test goes on when it waits again or has ended. So whatever can come between two requests of one of them can be made to come.
 */
final class Turns {

    private static final int REMEMBERED = 120;

    private final ObjectStore store;
    private final Thread test = Thread.currentThread();
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
        private Thread thread;

        private Turn(String name) {
            this.name = name;
        }

        /** What it is going to ask for, such as {@code PUT points/web/…}. */
        String request() {
            return request;
        }

        /** Lets its request through, and returns when it waits for the next one or has ended. */
        void go() {
            synchronized (Turns.this) {
                note(name + " " + request);
                state = State.RUNNING;
                Turns.this.notifyAll();
                settle();
            }
        }

        private void await(String next) {
            if (Thread.currentThread() == test) {
                return;
            }
            synchronized (Turns.this) {
                request = next;
                state = State.WAITING;
                Turns.this.notifyAll();
                while (state == State.WAITING) {
                    waitQuietly();
                }
            }
        }

        private void end() {
            synchronized (Turns.this) {
                state = State.ENDED;
                turns.remove(this);
                Turns.this.notifyAll();
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
        synchronized (this) {
            turns.add(turn);
            note(name + " begins");
            turn.thread = Thread.ofPlatform().daemon().name(name).start(() -> {
                try {
                    work.run(turn);
                } finally {
                    turn.end();
                }
            });
            settle();
        }
        return turn;
    }

    /** Those that wait. */
    synchronized List<Turn> waiting() {
        return List.copyOf(turns);
    }

    synchronized void note(String event) {
        past.add(event);
        if (past.size() > REMEMBERED) {
            past.remove();
        }
    }

    /** What happened last, for whoever looks for a defect. */
    synchronized String past() {
        return String.join("\n  ", past);
    }

    private void settle() {
        while (turns.stream().anyMatch(turn -> turn.state == State.RUNNING)) {
            waitQuietly();
        }
    }

    private void waitQuietly() {
        try {
            wait();
        } catch (InterruptedException e) {
            throw new AssertionError("nobody interrupts here", e);
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
