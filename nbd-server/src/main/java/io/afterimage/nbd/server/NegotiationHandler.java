package io.afterimage.nbd.server;

import io.afterimage.nbd.codec.OptionDecoder;
import io.afterimage.nbd.codec.OptionEncoder;
import io.afterimage.nbd.negotiation.OptionReplies;
import io.afterimage.nbd.negotiation.Outcome;
import io.afterimage.nbd.negotiation.ServerHandshake;
import io.afterimage.nbd.protocol.OptionReply;
import io.afterimage.nbd.protocol.OptionRequest;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.handler.codec.ByteToMessageDecoder;
import io.netty.handler.ssl.SslHandler;
import io.netty.util.concurrent.ScheduledFuture;
import java.io.IOException;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The handshake of one connection. One option is worked on at a time, on a virtual thread, since it may open an export; meanwhile
 * nothing is read from the client. When the transmission begins, this handler gives its place to a {@link TransmissionHandler}.
 */
@SuppressWarnings("FutureReturnValueIgnored") // a failed write closes the channel, and channelInactive cleans up
final class NegotiationHandler extends ByteToMessageDecoder {

    private static final Logger LOG = LoggerFactory.getLogger(NegotiationHandler.class);
    private static final int REPLIES_TO_GATHER = 32 << 10;

    private final Connection connection;
    private final ConnectionOffering offering;
    private final ServerHandshake handshake;
    private final OptionDecoder options;
    private ChannelHandlerContext ctx;
    private ScheduledFuture<?> deadline;
    private boolean busy;

    NegotiationHandler(Connection connection, ConnectionOffering offering, ServerHandshake handshake) {
        this.connection = connection;
        this.offering = offering;
        this.handshake = handshake;
        options = new OptionDecoder(connection.limits().optionBytes());
    }

    @Override
    public void channelActive(ChannelHandlerContext context) {
        ctx = context;
        deadline = ctx.executor().schedule(this::tooSlow, connection.limits().negotiationTime().toMillis(), TimeUnit.MILLISECONDS);
        ByteBuf greeting = ctx.alloc().buffer(18);
        OptionEncoder.greeting(greeting);
        ctx.writeAndFlush(greeting);
    }

    @Override
    protected void decode(ChannelHandlerContext context, ByteBuf in, List<Object> out) throws Exception {
        if (busy) {
            return;
        }
        if (!options.flagsRead()) {
            options.clientFlags(in).ifPresent(handshake::clientFlags);
            return;
        }
        Optional<OptionRequest> option = options.next(in);
        if (option.isPresent()) {
            busy = true;
            ctx.channel().config().setAutoRead(false);
            Thread.startVirtualThread(() -> answer(option.get()));
        }
    }

    @Override
    protected void handlerRemoved0(ChannelHandlerContext context) {
        if (deadline != null) {
            deadline.cancel(false);
        }
    }

    @Override
    public void channelInactive(ChannelHandlerContext context) throws Exception {
        deadline.cancel(false);
        // An option that is being worked on may still choose an export; it is released when that is done.
        boolean idle = !busy;
        // What was received last is not looked at any more.
        busy = true;
        super.channelInactive(context);
        if (idle) {
            Thread.startVirtualThread(offering::release);
        }
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
        LOG.info("handshake with {} ends: {}", connection.client().address(), cause.toString());
        context.close();
    }

    private void tooSlow() {
        LOG.info("handshake with {} ends: it took longer than {}", connection.client().address(), connection.limits().negotiationTime());
        ctx.close();
    }

    /** On a virtual thread: works on one option, and hands what comes of it back to the event loop. */
    private void answer(OptionRequest option) {
        Outcome outcome;
        Replies replies = new Replies();
        try {
            outcome = handshake.option(option, replies);
        } catch (IOException | RuntimeException | Error e) {
            LOG.warn("handshake with {} failed", connection.client().address(), e);
            outcome = new Outcome.Close("a failure of the server");
        }
        Outcome next = outcome;
        try {
            ctx.executor().execute(() -> proceed(next, replies.gathered));
        } catch (RejectedExecutionException _) {
            // The server has ended meanwhile, and the connection with it.
            replies.gathered.release();
            offering.release();
        }
    }

    private void proceed(Outcome outcome, ByteBuf replies) {
        busy = false;
        if (!ctx.channel().isActive()) {
            replies.release();
            Thread.startVirtualThread(offering::release);
            return;
        }
        switch (outcome) {
            case Outcome.Continue() -> {
                ctx.writeAndFlush(replies);
                resume();
            }
            case Outcome.Close(String reason) -> {
                LOG.info("handshake with {} ends: {}", connection.client().address(), reason);
                ctx.writeAndFlush(replies).addListener(ChannelFutureListener.CLOSE);
            }
            case Outcome.StartTls() -> startTls(replies);
            case Outcome.Transmit agreed -> transmit(agreed, replies);
        }
    }

    private void resume() {
        ctx.channel().config().setAutoRead(true);
        try {
            // What had been received while the option was worked on is looked at again.
            channelRead(ctx, Unpooled.EMPTY_BUFFER);
        } catch (Exception e) {
            exceptionCaught(ctx, e);
        }
    }

    private void startTls(ByteBuf replies) {
        if (internalBuffer().isReadable()) {
            // Sent in the clear by whoever sits in between, to be taken for the client's words under TLS (CVE-2021-3716).
            replies.release();
            exceptionCaught(ctx, new IOException("bytes in the clear behind STARTTLS"));
            return;
        }
        ctx.writeAndFlush(replies);
        SslHandler tls = connection.newTlsHandler(ctx.alloc());
        ctx.pipeline().addFirst("tls", tls);
        tls.handshakeFuture().addListener(done -> {
            if (done.isSuccess()) {
                handshake.secured();
                connection.secured(tls);
                offering.identify(connection.client());
                resume();
            } else {
                exceptionCaught(ctx, done.cause());
            }
        });
        ctx.channel().config().setAutoRead(true);
    }

    private void transmit(Outcome.Transmit agreed, ByteBuf replies) {
        if (agreed.bare()) {
            OptionEncoder.exportNameReply(replies, agreed.info().size(), agreed.info().flags(), handshake.padded());
        }
        ctx.writeAndFlush(replies);
        ctx.channel().config().setAutoRead(true);
        TransmissionHandler transmission = connection.transmission(agreed, offering.takeChosen());
        ctx.pipeline().addAfter(ctx.name(), "transmission", transmission);
        // Requests that came in the same breath go on to the new handler when this one leaves.
        ctx.pipeline().remove(this);
    }

    /** Replies of one option. A long list leaves in parts, each waited for, so that it never stands in memory. */
    private final class Replies implements OptionReplies.Out {

        private ByteBuf gathered = ctx.alloc().buffer();

        @Override
        public void send(OptionReply reply) throws IOException {
            OptionEncoder.reply(gathered, reply);
            if (gathered.readableBytes() > REPLIES_TO_GATHER) {
                ByteBuf part = gathered;
                gathered = ctx.alloc().buffer();
                if (!ctx.writeAndFlush(part).awaitUninterruptibly().isSuccess()) {
                    throw new IOException("the client left");
                }
            }
        }
    }
}
