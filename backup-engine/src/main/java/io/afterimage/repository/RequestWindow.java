package io.afterimage.repository;

import java.io.IOException;
import java.util.ArrayDeque;
import java.util.Queue;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/**
 * Fetches many objects, some of them ahead of the one that is taken up, so that the way there and back is waited for once and not for each. What
 * is fetched is taken up in order, by the caller's thread. Bounded: at most so many are under way or waiting to be taken up.
 */
public final class RequestWindow {

    private final int size;

    /** @param size how many at once; with 1 the caller's thread does it all */
    public RequestWindow(int size) {
        if (size < 1) {
            throw new IllegalArgumentException("a window of " + size);
        }
        this.size = size;
    }

    /** Gets the object of a name; called by any thread. */
    @FunctionalInterface
    public interface Fetch<A, B> {
        B fetch(A name) throws IOException;
    }

    /** Takes up what was fetched; called by the thread that waits. */
    @FunctionalInterface
    public interface Take<B> {
        void take(B object) throws IOException;
    }

    /** Returns when all are taken up. The first failure ends it; requests that are under way then are cut short. */
    public <A, B> void forEach(Iterable<? extends A> names, Fetch<? super A, ? extends B> fetch, Take<? super B> take) throws IOException {
        if (size == 1) {
            for (A name : names) {
                take.take(fetch.fetch(name));
            }
            return;
        }
        ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
        try {
            Queue<Future<B>> window = new ArrayDeque<>();
            for (A name : names) {
                if (window.size() == size) {
                    take.take(await(window.remove()));
                }
                window.add(threads.submit(() -> fetch.fetch(name)));
            }
            while (!window.isEmpty()) {
                take.take(await(window.remove()));
            }
        } finally {
            threads.shutdownNow();
            threads.close();
        }
    }

    private static <B> B await(Future<B> future) throws IOException {
        try {
            return future.get();
        } catch (ExecutionException e) {
            throw e.getCause() instanceof IOException failure ? failure : new IOException("an object could not be read", e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted while objects were read", e);
        }
    }
}
