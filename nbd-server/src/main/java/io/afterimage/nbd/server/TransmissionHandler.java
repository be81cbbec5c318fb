package io.afterimage.nbd.server;

import io.afterimage.nbd.codec.ReplyEncoder;
import io.afterimage.nbd.codec.RequestDecoder;
import io.afterimage.nbd.negotiation.Outcome;
import io.afterimage.nbd.protocol.Command;
import io.afterimage.nbd.protocol.CommandFlags;
import io.afterimage.nbd.protocol.ProtocolException;
import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.handler.codec.ByteToMessageDecoder;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicBoolean;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The transmission phase of one connection. All fields but the queue of completions belong to the event loop.
 *
 * <p>A batch of received bytes is worked through request by request. Reads whose bytes are at hand are answered at once, into one
 * buffer that leaves with the batch; everything else becomes an {@link Operation} on a virtual thread. No further request is begun
 * while the connection has too much in flight or the client does not take its replies: what it sends then stays in the socket.
 */
@SuppressWarnings("FutureReturnValueIgnored") // a failed write closes the channel, and channelInactive cleans up
final class TransmissionHandler extends ChannelInboundHandlerAdapter {

    private static final Logger LOG = LoggerFactory.getLogger(TransmissionHandler.class);

    /** Work of one request that may block. Returns its reply, or null if another operation of the request will. */
    interface Operation {
        ByteBuf run() throws Exception;
    }

    private record Completion(ByteBuf reply, int cost) {}

    private final Served served;
    private final SharedExports.Use use;
    private final Limits limits;
    private final RequestDecoder request;
    private final Queue<Completion> completions = new ConcurrentLinkedQueue<>();
    private final AtomicBoolean draining = new AtomicBoolean();

    private ChannelHandlerContext ctx;
    private ReplyBatch batch;
    private ByteBuf received;
    private WritePayload writing;
    private StatusPayload filtering;
    private long toSkip;
    private int inFlight;
    private long bytesInFlight;
    private boolean refusing;
    private boolean leaving;
    private boolean gone;

    TransmissionHandler(Outcome.Transmit agreed, SharedExports.Use use, Limits limits) {
        this.served = new Served(agreed, use.export());
        this.use = use;
        this.limits = limits;
        this.request = new RequestDecoder(agreed.form());
    }

    @Override
    public void handlerAdded(ChannelHandlerContext context) {
        ctx = context;
        batch = new ReplyBatch(ctx, served);
    }

    @Override
    public void channelRead(ChannelHandlerContext context, Object message) {
        ByteBuf bytes = (ByteBuf) message;
        received = received == null ? bytes : ByteToMessageDecoder.MERGE_CUMULATOR.cumulate(ctx.alloc(), received, bytes);
        proceed();
    }

    @Override
    public void channelReadComplete(ChannelHandlerContext context) {
        batch.flush();
    }

    @Override
    public void channelWritabilityChanged(ChannelHandlerContext context) {
        if (ctx.channel().isWritable()) {
            proceed();
            batch.flush();
        }
    }

    @Override
    public void channelInactive(ChannelHandlerContext context) {
        gone = true;
        leaving = true;
        dropReceived();
        if (writing != null) {
            writing.release();
            writing = null;
        }
        batch.release();
        releaseWhenIdle();
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
        LOG.debug("connection {} ends: {}", ctx.channel(), cause.toString());
        ctx.close();
    }

    /** The server is going: from now on requests are answered with ESHUTDOWN; what has begun is finished. */
    void refuseRequests() {
        refusing = true;
    }

    /** The server is going and will be back: what has begun is finished and answered, then the connection ends. */
    void leave() {
        leaving = true;
        ctx.channel().config().setAutoRead(false);
        closeWhenIdle();
    }

    private boolean full() {
        return inFlight >= limits.requestsInFlight() || bytesInFlight >= limits.bytesInFlight() || !ctx.channel().isWritable();
    }

    /** Works through the received bytes as far as the limits allow. */
    private void proceed() {
        if (gone) {
            return;
        }
        try {
            boolean more = received != null;
            while (more && !leaving && !full()) {
                if (toSkip > 0) {
                    int skipped = (int) Math.min(toSkip, received.readableBytes());
                    received.skipBytes(skipped);
                    toSkip -= skipped;
                    more = toSkip == 0;
                } else if (writing != null) {
                    more = takePayload();
                } else if (filtering != null) {
                    more = takeFilter();
                } else if (request.next(received)) {
                    begin();
                } else {
                    more = false;
                }
            }
        } catch (ProtocolException e) {
            exceptionCaught(ctx, e);
        }
        if (received != null && (leaving || !received.isReadable())) {
            dropReceived();
        }
        ctx.channel().config().setAutoRead(!leaving && !full());
    }

    private void begin() throws ProtocolException {
        Command command = Command.ofOrNull(request.command());
        if (command == Command.DISC) {
            leave();
            return;
        }
        long payload = served.payloadLength(command, request.flags(), request.length());
        Refusal refusal = refusing
                ? Refusal.SHUTDOWN
                : payload > 0 && command != Command.WRITE && command != Command.BLOCK_STATUS
                        ? Refusal.UNEXPECTED_PAYLOAD
                        : served.check(command, request.flags(), request.offset(), request.length(), payload);
        if (refusal != null) {
            toSkip = payload;
            batch.error(request.cookie(), request.offset(), refusal);
            return;
        }
        long cookie = request.cookie();
        long offset = request.offset();
        long length = request.length();
        int flags = request.flags();
        switch (command) {
            case READ -> {
                if (!batch.readResident(cookie, offset, (int) length, flags)) {
                    dispatch(cookie, offset, (int) length, new ReadOperation(served, ctx.alloc(), cookie, offset, (int) length, flags));
                }
            }
            case WRITE -> writing = new WritePayload(served, ctx.alloc(), cookie, offset, (int) length, flags);
            case CACHE -> {
                served.prefetch(offset, length);
                batch.success(cookie, offset);
            }
            case BLOCK_STATUS -> {
                if (payload > 0) {
                    filtering = new StatusPayload(cookie, offset, (int) payload, flags);
                } else {
                    status(cookie, offset, length, flags, served.contexts());
                }
            }
            case FLUSH, TRIM, WRITE_ZEROES -> dispatch(
                    cookie, offset, 0, new ChangeOperation(served, ctx.alloc(), command, cookie, offset, length, flags));
            case DISC -> throw new AssertionError("handled above");
        }
    }

    private boolean takePayload() {
        if (!writing.take(received)) {
            return false;
        }
        int cost = writing.pieceLength();
        long cookie = writing.cookie();
        long offset = writing.offset();
        Operation piece = writing.nextPiece();
        if (writing.isComplete()) {
            writing = null;
        }
        dispatch(cookie, offset, cost, piece);
        return true;
    }

    private boolean takeFilter() {
        if (!filtering.take(received)) {
            return false;
        }
        StatusPayload filter = filtering;
        filtering = null;
        Refusal refusal = filter.refusal(served);
        if (refusal != null) {
            batch.error(filter.cookie(), filter.offset(), refusal);
        } else {
            status(filter.cookie(), filter.offset(), filter.length(), filter.flags(), filter.selected(served));
        }
        return true;
    }

    private void status(long cookie, long offset, long length, int flags, List<Served.Context> contexts) {
        boolean one = (flags & CommandFlags.REQ_ONE) != 0;
        dispatch(cookie, offset, 0, new StatusOperation(served, ctx.alloc(), cookie, offset, length, one, contexts));
    }

    private void dispatch(long cookie, long offset, int cost, Operation operation) {
        inFlight++;
        bytesInFlight += cost;
        Thread.startVirtualThread(() -> {
            ByteBuf reply;
            try {
                reply = operation.run();
            } catch (Throwable e) {
                reply = failure(cookie, offset, e);
            }
            completions.add(new Completion(reply, cost));
            if (draining.compareAndSet(false, true)) {
                ctx.channel().eventLoop().execute(this::drain);
            }
        });
    }

    private ByteBuf failure(long cookie, long offset, Throwable cause) {
        LOG.error("a request at {} of export '{}' failed", offset, use.name(), cause);
        ByteBuf reply = ctx.alloc().directBuffer(ReplyEncoder.LONGEST_MESSAGE);
        served.encoder().error(reply, cookie, offset, Served.errorFor(cause), Served.wordsFor(cause));
        return reply;
    }

    private void drain() {
        draining.set(false);
        for (Completion done = completions.poll(); done != null; done = completions.poll()) {
            inFlight--;
            bytesInFlight -= done.cost();
            if (done.reply() != null) {
                batch.append(done.reply());
            }
        }
        proceed();
        batch.flush();
        if (leaving) {
            closeWhenIdle();
            releaseWhenIdle();
        }
    }

    private void closeWhenIdle() {
        if (inFlight == 0 && !gone) {
            batch.flush();
            ctx.writeAndFlush(ctx.alloc().buffer(0)).addListener(ChannelFutureListener.CLOSE);
        }
    }

    private void releaseWhenIdle() {
        if (gone && inFlight == 0) {
            Thread.startVirtualThread(use::release);
        }
    }

    private void dropReceived() {
        if (received != null) {
            received.release();
            received = null;
        }
    }
}
