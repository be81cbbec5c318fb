package io.afterimage.nbd.client;

import io.afterimage.nbd.codec.RequestEncoder;
import io.afterimage.nbd.negotiation.Agreed;
import io.afterimage.nbd.protocol.Command;
import io.afterimage.nbd.protocol.CommandFlags;
import io.afterimage.nbd.protocol.ReplyForm;
import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.net.SocketTimeoutException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;

/** One connection in the transmission phase, used by many threads. */
@SuppressWarnings("FutureReturnValueIgnored") // a failed write closes the channel, which fails every request
final class RemoteConnection {

    /** QEMU works on 16 requests of a connection at a time and leaves the rest in the socket: enough to keep it busy. */
    private static final int MOST_IN_FLIGHT = 32;

    private final Channel channel;
    private final Agreed agreed;
    private final RequestEncoder encoder;
    private final ReplyHandler replies;
    private final Duration requestTime;
    private final Semaphore free = new Semaphore(MOST_IN_FLIGHT);
    private final AtomicLong cookies = new AtomicLong();

    RemoteConnection(Channel channel, Agreed agreed, Duration requestTime) {
        this.channel = channel;
        this.agreed = agreed;
        this.encoder = new RequestEncoder(agreed.form());
        this.replies = new ReplyHandler(agreed.form(), free::release);
        this.requestTime = requestTime;
    }

    Agreed agreed() {
        return agreed;
    }

    ReplyHandler replies() {
        return replies;
    }

    boolean isOpen() {
        return channel.isActive();
    }

    int idle() {
        return free.availablePermits();
    }

    /**
     * Sends a request; its answer is awaited by {@link #await}.
     *
     * @param payload what a WRITE writes, copied here; else null
     */
    void send(Request request, int flags, ByteBuffer payload) throws IOException {
        try {
            if (!free.tryAcquire() && !new Patience(requestTime).await(wait -> free.tryAcquire(wait, TimeUnit.NANOSECONDS))) {
                throw giveUp("the server does not answer");
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new InterruptedIOException("interrupted before " + request);
        }
        boolean announced = request.command == Command.WRITE && agreed.form() == ReplyForm.EXTENDED;
        int allFlags = announced ? flags | CommandFlags.PAYLOAD_LEN : flags;
        long cookie = cookies.incrementAndGet();
        ByteBuf out = channel.alloc().directBuffer(RequestEncoder.LONGEST_HEADER + (payload == null ? 0 : payload.remaining()));
        encoder.header(out, request.command, allFlags, cookie, request.offset, request.length);
        if (payload != null) {
            out.writeBytes(payload);
        }
        replies.expect(cookie, request);
        channel.writeAndFlush(out);
    }

    void await(Request request) throws IOException {
        try {
            request.await(requestTime);
        } catch (SocketTimeoutException e) {
            giveUp(e.getMessage());
            throw e;
        }
    }

    /** Sends a request of which nobody wants to know what became; leaves it out if that would mean waiting. */
    void hint(Request request) throws IOException {
        if (free.tryAcquire()) {
            free.release();
            send(request, 0, null);
        }
    }

    /** Says goodbye and closes; what is still awaited fails. */
    void close() {
        ByteBuf out = channel.alloc().directBuffer(RequestEncoder.LONGEST_HEADER);
        encoder.header(out, Command.DISC, 0, 0, 0, 0);
        channel.writeAndFlush(out).addListener(_ -> channel.close());
        channel.closeFuture().awaitUninterruptibly(TimeUnit.SECONDS.toMillis(1));
        channel.close().awaitUninterruptibly();
    }

    private IOException giveUp(String why) {
        SocketTimeoutException cause = new SocketTimeoutException(why);
        channel.eventLoop().execute(() -> {
            replies.end(cause);
            channel.close();
        });
        return cause;
    }
}
