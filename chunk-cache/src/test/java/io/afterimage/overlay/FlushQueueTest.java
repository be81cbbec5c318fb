package io.afterimage.overlay;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.afterimage.block.DeviceFullException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

class FlushQueueTest {

    private static final int CLIENTS = 50;

    @Test
    void thoseWhoComeWhileOneRunsShareTheNext() throws Exception {
        AtomicInteger flushes = new AtomicInteger();
        CountDownLatch running = new CountDownLatch(1);
        CountDownLatch go = new CountDownLatch(1);
        FlushQueue queue = new FlushQueue(() -> {
            flushes.incrementAndGet();
            running.countDown();
            await(go);
        });
        try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            List<Future<?>> clients = new ArrayList<>();
            clients.add(threads.submit(() -> flush(queue)));
            running.await();
            CountDownLatch started = new CountDownLatch(CLIENTS);
            for (int i = 0; i < CLIENTS; i++) {
                clients.add(threads.submit(() -> {
                    started.countDown();
                    return flush(queue);
                }));
            }
            started.await();
            go.countDown();
            for (Future<?> client : clients) {
                client.get();
            }
        }
        // Nobody is sure to be in time for the second; whoever is not has a later one.
        assertTrue(flushes.get() >= 2 && flushes.get() <= CLIENTS + 1, flushes + " flushes");
        queue.await();
    }

    /** Each client's change is counted by a flush that began after it. */
    @Test
    void aFlushHasAllThatWasDoneBeforeItWasAskedFor() throws Exception {
        AtomicInteger done = new AtomicInteger();
        AtomicInteger durable = new AtomicInteger();
        FlushQueue queue = new FlushQueue(() -> durable.set(done.get()));
        try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            List<Future<?>> clients = new ArrayList<>();
            for (int i = 0; i < 200; i++) {
                clients.add(threads.submit(() -> {
                    int mine = done.incrementAndGet();
                    queue.await();
                    assertTrue(durable.get() >= mine, mine + " is not durable");
                    return null;
                }));
            }
            for (Future<?> client : clients) {
                client.get();
            }
        }
        assertEquals(200, durable.get());
    }

    @Test
    void aFailureIsTheirsWhoAskedForThatFlushAlone() throws Exception {
        AtomicInteger flushes = new AtomicInteger();
        FlushQueue queue = new FlushQueue(() -> {
            switch (flushes.incrementAndGet()) {
                case 1 -> throw new IOException("broken");
                case 2 -> throw new DeviceFullException("full", null);
                default -> {}
            }
        });
        assertEquals("broken", assertThrows(IOException.class, queue::await).getMessage());
        assertThrows(DeviceFullException.class, queue::await);
        queue.await();
        assertEquals(3, flushes.get());
    }

    private static Void flush(FlushQueue queue) throws IOException {
        queue.await();
        return null;
    }

    private static void await(CountDownLatch latch) throws IOException {
        try {
            latch.await();
        } catch (InterruptedException e) {
            throw new IOException(e);
        }
    }
}
