package io.afterimage.nbd.server;

import io.afterimage.nbd.codec.ReplyEncoder;
import io.afterimage.nbd.codec.RequestDecoder;
import io.afterimage.nbd.negotiation.Outcome;
import io.afterimage.nbd.protocol.Command;
import io.afterimage.nbd.protocol.CommandFlags;
import io.afterimage.nbd.protocol.ProtocolException;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.handler.codec.ByteToMessageDecoder;
import io.netty.util.ReferenceCountUtil;
import java.io.IOException;
import java.util.HashSet;
import java.util.List;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicBoolean;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The transmission phase of one connection. All fields but the queue of completions belong to the event loop.
 *
 * <p>A batch of received bytes is worked through request by request. Reads whose bytes are at hand are answered at once, into one
 * buffer that leaves with the batch; everything else becomes an {@link Operation} on a virtual thread. No further request is begun
 * while the connection has too much in flight, the client does not take its replies, or the memory that all share is used up: what
 * the client sends then stays in its socket.
 */
@SuppressWarnings("FutureReturnValueIgnored") // a failed write closes the channel, and channelInactive cleans up
final class TransmissionHandler extends ChannelInboundHandlerAdapter {

    private static final Logger LOG = LoggerFactory.getLogger(TransmissionHandler.class);

    /** Work of one request that may block. Returns its reply, or null if another operation of the request will. */
    interface Operation {
        ByteBuf run() throws Exception;
    }

    private record Completion(Thread thread, ByteBuf reply, int cost) {}

    private final Served served;
    private final SharedExports.Use use;
    private final Limits limits;
    private final RequestDecoder request;
    private final MemoryBudget.Share memory;
    private final Queue<Completion> completions = new ConcurrentLinkedQueue<>();
    private final AtomicBoolean draining = new AtomicBoolean();
    /** Those in reads that end when they are interrupted. */
    private final Set<Thread> interruptible = new HashSet<>();

    private ChannelHandlerContext ctx;
    private ReplyBatch batch;
    private ByteBuf received;
    /** The header in {@link #request} has been read and waits for memory. */
    private boolean held;

    private boolean proceeding;
    private boolean waitingForMemory;
    private WritePayload writing;
    private StatusPayload filtering;
    private long toSkip;
    private int inFlight;
    private long bytesInFlight;
    /** A marker is on its way behind the pending output, to give back its memory when that is sent. */
    private boolean settling;

    private long pendingSeen;
    private long progressAt;
    private boolean refusing;
    private boolean leaving;
    private boolean gone;

    TransmissionHandler(Outcome.Transmit agreed, SharedExports.Use use, Limits limits, MemoryBudget budget) {
        this.served = new Served(agreed, use.export());
        this.use = use;
        this.limits = limits;
        this.request = new RequestDecoder(agreed.form());
        this.memory = budget.new Share(() -> ctx.executor().execute(this::resume));
    }

    @Override
    public void handlerAdded(ChannelHandlerContext context) {
        ctx = context;
        batch = new ReplyBatch(ctx, served);
        progressAt = System.nanoTime();
    }

    @Override
    public void channelRead(ChannelHandlerContext context, Object message) {
        ByteBuf bytes = (ByteBuf) message;
        received = received == null ? bytes : ByteToMessageDecoder.MERGE_CUMULATOR.cumulate(ctx.alloc(), received, bytes);
        proceed();
    }

    @Override
    public void channelReadComplete(ChannelHandlerContext context) {
        flush();
    }

    @Override
    public void channelWritabilityChanged(ChannelHandlerContext context) {
        if (ctx.channel().isWritable()) {
            resume();
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
        // Nobody waits for these bytes any more: whatever brings them has better to do.
        interruptible.forEach(Thread::interrupt);
        releaseWhenIdle();
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
        LOG.info("connection to export '{}' ends: {}", use.name(), cause.toString());
        leaving = true;
        ctx.close();
    }

    /** The server is going: from now on requests are answered with ESHUTDOWN; what has begun is finished. */
    void refuseRequests() {
        refusing = true;
    }

    /** What has begun is finished and answered, then the connection ends. */
    void leave() {
        leaving = true;
        ctx.channel().config().setAutoRead(false);
        closeWhenIdle();
    }

    /** Ends the connection if it holds shared memory and its client has neither taken nor sent a byte for too long. */
    void dropIfStalled() {
        long pending = pending();
        if (pending != pendingSeen || inFlight > 0 || !memory.isUsed()) {
            pendingSeen = pending;
            progressAt = System.nanoTime();
        } else if (System.nanoTime() - progressAt > limits.stallTime().toNanos()) {
            exceptionCaught(ctx, new IOException("the client stalled for " + limits.stallTime() + " while others wait for memory"));
        }
    }

    private void resume() {
        waitingForMemory = false;
        proceed();
        flush();
    }

    private boolean full() {
        return waitingForMemory
                || inFlight >= limits.requestsInFlight()
                || bytesInFlight >= limits.bytesInFlight()
                || !ctx.channel().isWritable();
    }

    /** Works through the received bytes as far as the limits allow. */
    private void proceed() {
        if (gone || proceeding) {
            // Sending a reply can make the channel writable again, right in the middle of the loop below.
            return;
        }
        proceeding = true;
        try {
            boolean more = received != null;
            while (more && !leaving && !full()) {
                more = step();
            }
        } catch (ProtocolException e) {
            exceptionCaught(ctx, e);
        } catch (RuntimeException e) {
            // A defect: better the end of the connection than a client that waits for ever.
            LOG.error("export '{}' cannot be served any further", use.name(), e);
            exceptionCaught(ctx, e);
        } finally {
            proceeding = false;
        }
        if (gone) {
            batch.release();
            return;
        }
        if (received != null && (leaving || (!received.isReadable() && !held))) {
            dropReceived();
        }
        // A change of this flag costs a system call or two; no change costs nothing.
        ctx.channel().config().setAutoRead(!leaving && !full());
    }

    /** Takes one thing from the received bytes; false if that needs more of them, or memory. */
    private boolean step() throws ProtocolException {
        if (toSkip > 0) {
            int skipped = (int) Math.min(toSkip, received.readableBytes());
            received.skipBytes(skipped);
            toSkip -= skipped;
            return toSkip == 0;
        }
        if (writing != null) {
            return takePayload();
        }
        if (filtering != null) {
            return takeFilter();
        }
        if (!held && !request.next(received)) {
            return false;
        }
        held = false;
        return begin();
    }

    private boolean begin() throws ProtocolException {
        Command command = Command.ofOrNull(request.command());
        if (command == Command.DISC) {
            leave();
            return false;
        }
        long payload = served.payloadLength(command, request.flags(), request.length());
        Refusal refusal = refusing
                ? Refusal.SHUTDOWN
                : served.check(command, request.flags(), request.offset(), request.length(), payload);
        if (refusal != null) {
            toSkip = payload;
            batch.error(request.cookie(), request.offset(), refusal);
            return true;
        }
        long cookie = request.cookie();
        long offset = request.offset();
        long length = request.length();
        int flags = request.flags();
        switch (command) {
            case READ -> {
                return read(cookie, offset, (int) length, flags);
            }
            case WRITE -> writing = new WritePayload(served, ctx.alloc(), cookie, offset, (int) length, flags);
            case CACHE -> {
                served.prefetch(offset, length);
                batch.success(cookie, offset);
            }
            case BLOCK_STATUS -> {
                if (payload > 0) {
                    filtering = new StatusPayload(cookie, offset, payload, flags);
                } else {
                    status(cookie, offset, length, flags, served.contexts());
                }
            }
            case FLUSH, TRIM, WRITE_ZEROES -> dispatch(
                    cookie, offset, 0, new ChangeOperation(served, ctx.alloc(), command, cookie, offset, length, flags));
            case DISC -> throw new AssertionError("handled above");
        }
        return true;
    }

    private boolean read(long cookie, long offset, int length, int flags) {
        if (!reserve(length)) {
            held = true;
            return false;
        }
        if (batch.readResident(cookie, offset, length, flags)) {
            // From here on it counts as pending output.
            bytesInFlight -= length;
        } else {
            dispatch(cookie, offset, length, new ReadOperation(served, ctx.alloc(), cookie, offset, length, flags));
        }
        return true;
    }

    private boolean takePayload() {
        if (!writing.hasPiece()) {
            int length = writing.nextLength();
            if (!reserve(length)) {
                return false;
            }
            writing.beginPiece();
        }
        progressAt = System.nanoTime();
        if (!writing.take(received)) {
            return false;
        }
        int cost = writing.nextLength();
        WritePayload payload = writing;
        Operation piece = payload.handOver();
        if (payload.isComplete()) {
            writing = null;
        }
        dispatch(payload.cookie(), payload.offset(), cost, piece);
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

    /** Counts memory as used, if there is some; otherwise the connection will be resumed when there is. */
    private boolean reserve(int bytes) {
        if (!memory.cover(bytesInFlight + pending() + bytes)) {
            waitingForMemory = true;
            return false;
        }
        bytesInFlight += bytes;
        return true;
    }

    /** Runs an operation whose {@code cost} has been reserved. */
    private void dispatch(long cookie, long offset, int cost, Operation operation) {
        inFlight++;
        Thread thread = Thread.ofVirtual().unstarted(() -> {
            ByteBuf reply;
            try {
                reply = operation.run();
            } catch (Throwable e) {
                reply = failure(cookie, offset, e);
            }
            completions.add(new Completion(Thread.currentThread(), reply, cost));
            if (draining.compareAndSet(false, true)) {
                try {
                    ctx.executor().execute(this::drain);
                } catch (RejectedExecutionException _) {
                    // The server has ended meanwhile, and the connection with it.
                    dropReplies();
                }
            }
        });
        if (operation instanceof ReadOperation && served.device().canInterruptReads()) {
            interruptible.add(thread);
        }
        thread.start();
    }

    private ByteBuf failure(long cookie, long offset, Throwable cause) {
        if (Thread.currentThread().isInterrupted()) {
            LOG.debug("a request at {} of export '{}' was given up with its connection", offset, use.name(), cause);
        } else {
            LOG.error("a request at {} of export '{}' failed", offset, use.name(), cause);
        }
        ByteBuf reply = ctx.alloc().directBuffer(ReplyEncoder.LONGEST_MESSAGE);
        served.encoder().error(reply, cookie, offset, Served.errorFor(cause), Served.wordsFor(cause));
        return reply;
    }

    private void dropReplies() {
        draining.set(false);
        for (Completion done = completions.poll(); done != null; done = completions.poll()) {
            ReferenceCountUtil.release(done.reply());
        }
    }

    private void drain() {
        draining.set(false);
        for (Completion done = completions.poll(); done != null; done = completions.poll()) {
            inFlight--;
            bytesInFlight -= done.cost();
            interruptible.remove(done.thread());
            if (done.reply() != null) {
                if (gone) {
                    done.reply().release();
                } else {
                    batch.append(done.reply());
                }
            }
        }
        proceed();
        flush();
        if (leaving) {
            closeWhenIdle();
            releaseWhenIdle();
        }
    }

    private long pending() {
        var outbound = ctx.channel().unsafe().outboundBuffer();
        return outbound == null ? 0 : outbound.totalPendingWriteBytes();
    }

    /** Sends what is ready, and gives back the memory of what has been sent. */
    private void flush() {
        if (gone) {
            return;
        }
        batch.flush();
        if (memory.isUsed()) {
            settle();
        }
    }

    private void settle() {
        long pending = pending();
        memory.settle(bytesInFlight + pending);
        if (pending > 0 && memory.isUsed() && !settling && !gone) {
            settling = true;
            // Not in the listener itself: the marker counts as pending until its listeners have run, and would chase itself.
            ctx.writeAndFlush(Unpooled.EMPTY_BUFFER).addListener(_ -> ctx.executor().execute(() -> {
                settling = false;
                settle();
            }));
        }
    }

    private void closeWhenIdle() {
        if (inFlight == 0 && !gone) {
            batch.flush();
            ctx.writeAndFlush(Unpooled.EMPTY_BUFFER).addListener(ChannelFutureListener.CLOSE);
        }
    }

    private void releaseWhenIdle() {
        if (gone && inFlight == 0) {
            memory.settle(0);
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
