package io.afterimage.nbd.client;

import io.afterimage.nbd.codec.ReplyDecoder;
import io.afterimage.nbd.codec.ReplySink;
import io.afterimage.nbd.protocol.ProtocolException;
import io.afterimage.nbd.protocol.ReplyForm;
import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.handler.codec.ByteToMessageDecoder;
import java.io.EOFException;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/** Takes replies and brings them to the requests that wait for them. The first thing that cannot be true ends the connection. */
@SuppressWarnings("FutureReturnValueIgnored") // whether closing succeeds changes nothing
final class ReplyHandler extends ChannelInboundHandlerAdapter implements ReplySink {

    private final ReplyDecoder decoder;
    private final Runnable onFinished;
    private final Map<Long, Request> waiting = new ConcurrentHashMap<>();
    private volatile IOException ended;
    private ByteBuf received;
    private Request filling;

    /** A handler that tells {@code onFinished} of each request that is finished, however. */
    ReplyHandler(ReplyForm form, Runnable onFinished) {
        decoder = new ReplyDecoder(form, this);
        this.onFinished = onFinished;
    }

    /** Registers a request that is about to be sent; fails it at once if the connection has ended. */
    void expect(long cookie, Request request) {
        waiting.put(cookie, request);
        if (ended != null) {
            failAll(ended);
        }
    }

    @Override
    public void channelRead(ChannelHandlerContext ctx, Object message) throws ProtocolException {
        ByteBuf bytes = (ByteBuf) message;
        received = received == null ? bytes : ByteToMessageDecoder.MERGE_CUMULATOR.cumulate(ctx.alloc(), received, bytes);
        try {
            decoder.decode(received);
        } finally {
            if (!received.isReadable()) {
                received.release();
                received = null;
            }
        }
    }

    @Override
    public void channelInactive(ChannelHandlerContext ctx) {
        if (received != null) {
            received.release();
            received = null;
        }
        end(new EOFException("the server closed the connection"));
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
        end(cause instanceof IOException e ? e : new IOException(cause));
        ctx.close();
    }

    /** No answer is believed after this; all that wait are failed with that cause. */
    void end(IOException cause) {
        if (ended == null) {
            ended = cause;
        }
        failAll(ended);
    }

    private void failAll(IOException cause) {
        for (Long cookie : List.copyOf(waiting.keySet())) {
            Request request = waiting.remove(cookie);
            if (request != null) {
                request.finishFailed(cause);
                onFinished.run();
            }
        }
    }

    private Request waiting(long cookie) throws ProtocolException {
        Request request = waiting.get(cookie);
        if (request == null) {
            throw new ProtocolException("the server answers a request that was not sent");
        }
        return request;
    }

    @Override
    public int simple(long cookie, int error) throws ProtocolException {
        Request request = waiting(cookie);
        if (error != 0) {
            request.error(error, "");
            return 0;
        }
        filling = request;
        return request.simpleData();
    }

    @Override
    public void dataBegins(long cookie, long position, int length) throws ProtocolException {
        filling = waiting(cookie);
        filling.dataBegins(position, length);
    }

    @Override
    public void data(ByteBuf in, int count) throws ProtocolException {
        filling.data(in, count);
    }

    @Override
    public void hole(long cookie, long position, long length) throws ProtocolException {
        waiting(cookie).hole(position, length);
    }

    @Override
    public void status(long cookie, int context, long[] lengths, long[] flags) throws ProtocolException {
        waiting(cookie).status(context, lengths, flags);
    }

    @Override
    public void error(long cookie, int error, String text) throws ProtocolException {
        waiting(cookie).error(error, text);
    }

    @Override
    public void requestOffset(long cookie, long offset) throws ProtocolException {
        if (waiting(cookie).offset != offset) {
            throw new ProtocolException("the server answers a request at an offset that was not asked for");
        }
    }

    @Override
    public void done(long cookie) throws ProtocolException {
        Request request = waiting(cookie);
        try {
            request.finish();
            waiting.remove(cookie);
            onFinished.run();
        } finally {
            filling = null;
        }
    }
}
