package io.afterimage.fuse.jnr;

import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import jnr.ffi.Memory;
import jnr.ffi.Pointer;
import jnr.ffi.Runtime;
import jnr.ffi.byref.PointerByReference;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Takes requests from the kernel and has them answered, each by the thread that took it: a request that waits for the store holds up no other. There are
 * as many threads as there ever were requests at once, up to a limit, and they are Java's own, attached to the JVM for as long as they live.
 */
final class RequestLoop {

    private static final Logger LOG = LoggerFactory.getLogger(RequestLoop.class);

    /** Enough for a store that is far away; whoever comes later waits in the kernel. */
    static final int MOST_THREADS = 64;

    private final LibFuse2 library;
    private final Pointer session;
    private final Pointer channel;
    private final long bufferSize;
    private final Runnable atEnd;
    private final AtomicInteger threads = new AtomicInteger();
    private final AtomicInteger idle = new AtomicInteger();
    private final AtomicBoolean growing = new AtomicBoolean();
    private final CountDownLatch ended = new CountDownLatch(1);

    /** @param atEnd run once, by the last thread */
    RequestLoop(LibFuse2 library, Pointer session, Runnable atEnd) {
        this.library = library;
        this.session = session;
        this.atEnd = atEnd;
        channel = library.fuse_session_next_chan(session, null);
        bufferSize = library.fuse_chan_bufsize(channel);
    }

    void start() {
        addThread();
    }

    private void addThread() {
        int number = threads.incrementAndGet();
        idle.incrementAndGet();
        Thread.ofPlatform().daemon().name("fuse-" + number).start(this::run);
    }

    private void run() {
        try {
            Pointer buffer = Memory.allocateDirect(Runtime.getSystemRuntime(), Math.toIntExact(bufferSize));
            PointerByReference from = new PointerByReference(channel);
            while (library.fuse_session_exited(session) == 0) {
                int length = library.fuse_chan_recv(from, buffer, bufferSize);
                if (length > 0) {
                    process(buffer, length);
                } else if (length != Errno.EINTR && length != Errno.EAGAIN) {
                    break;
                }
            }
        } catch (RuntimeException | Error e) {
            LOG.error("A thread that answers the kernel has ended", e);
        } finally {
            idle.decrementAndGet();
            leave();
        }
    }

    private void process(Pointer buffer, int length) {
        // Whoever waits last for the kernel's requests sees to it that somebody else does.
        if (idle.decrementAndGet() == 0 && threads.get() < MOST_THREADS && growing.compareAndSet(false, true)) {
            addThread();
            growing.set(false);
        }
        library.fuse_session_process(session, buffer, length, channel);
        idle.incrementAndGet();
    }

    private void leave() {
        library.fuse_session_exit(session);
        if (threads.decrementAndGet() == 0) {
            atEnd.run();
            ended.countDown();
        }
    }

    boolean isRunning() {
        return !hasEnded() && library.fuse_session_exited(session) == 0;
    }

    boolean hasEnded() {
        return ended.getCount() == 0;
    }

    void awaitEnd() throws InterruptedException {
        ended.await();
    }

    boolean awaitEnd(Duration patience) throws InterruptedException {
        return ended.await(patience.toMillis(), TimeUnit.MILLISECONDS);
    }
}
