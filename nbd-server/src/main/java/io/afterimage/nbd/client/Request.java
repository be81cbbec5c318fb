package io.afterimage.nbd.client;

import io.afterimage.nbd.protocol.Command;
import io.afterimage.nbd.protocol.NbdError;
import io.afterimage.nbd.protocol.NbdString;
import io.afterimage.nbd.protocol.ProtocolException;
import io.netty.buffer.ByteBuf;
import java.io.IOException;
import java.net.SocketTimeoutException;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/**
 * A request that waits for its answer. The event loop fills it, one thread awaits it. Whoever gives up waiting, by time or
 * interruption, has closed the connection before the buffers that the request refers to are touched again.
 */
class Request {

    final Command command;
    final long offset;
    final long length;
    private final CountDownLatch finished = new CountDownLatch(1);
    private IOException failure;
    private boolean abandoned;

    Request(Command command, long offset, long length) {
        this.command = command;
        this.offset = offset;
        this.length = length;
    }

    /** Bytes that follow a simple reply without an error. */
    int simpleData() throws ProtocolException {
        return 0;
    }

    void dataBegins(long position, int count) throws ProtocolException {
        throw unexpected("data");
    }

    /** Takes {@code count} bytes. */
    void data(ByteBuf in, int count) throws ProtocolException {
        throw unexpected("data");
    }

    void hole(long position, long count) throws ProtocolException {
        throw unexpected("a hole");
    }

    void status(int context, long[] lengths, long[] flags) throws ProtocolException {
        throw unexpected("a block status");
    }

    /** All chunks have come, without an error: was it everything? */
    void checkComplete() throws ProtocolException {}

    final synchronized void fail(IOException cause) {
        if (failure == null) {
            failure = cause;
        }
    }

    final void error(int code, String text) {
        NbdError error = NbdError.of(code);
        String words = text.isEmpty() ? error.meaning() : NbdString.quote(text);
        fail(new NbdErrorException(error, "the server failed " + this + ": " + error + ", " + words));
    }

    final void finish() throws ProtocolException {
        if (!hasFailed()) {
            checkComplete();
        }
        finished.countDown();
    }

    final void finishFailed(IOException cause) {
        fail(cause);
        finished.countDown();
    }

    final synchronized boolean hasFailed() {
        return failure != null;
    }

    /** Whether nobody waits any more; the answer is then taken and thrown away. */
    final synchronized boolean isAbandoned() {
        return abandoned;
    }

    /** Waits for the answer; throws what became of it if it failed. */
    final void await(Duration time) throws IOException {
        boolean done;
        try {
            done = new Patience(time).await(wait -> finished.await(wait, TimeUnit.NANOSECONDS));
        } catch (InterruptedException e) {
            abandon();
            Thread.currentThread().interrupt();
            throw new java.io.InterruptedIOException("interrupted while waiting for " + this);
        }
        if (!done) {
            abandon();
            throw new SocketTimeoutException("the server does not answer " + this);
        }
        synchronized (this) {
            if (failure != null) {
                // A stack trace of the event loop says nothing about who asked.
                throw failure instanceof NbdErrorException e
                        ? new NbdErrorException(e.error(), e.getMessage())
                        : new IOException(failure.getMessage(), failure);
            }
        }
    }

    final synchronized void abandon() {
        abandoned = true;
    }

    final ProtocolException unexpected(String what) {
        return new ProtocolException("the server answers " + this + " with " + what);
    }

    @Override
    public String toString() {
        return command + " at " + offset + " of " + length + " bytes";
    }
}
