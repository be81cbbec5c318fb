package io.afterimage.nbd.client;

import io.afterimage.nbd.codec.OptionEncoder;
import io.afterimage.nbd.codec.OptionReplyDecoder;
import io.afterimage.nbd.negotiation.HandshakeWire;
import io.afterimage.nbd.protocol.BlockSizes;
import io.afterimage.nbd.protocol.ExportInfo;
import io.afterimage.nbd.protocol.Option;
import io.afterimage.nbd.protocol.OptionReply;
import io.afterimage.nbd.protocol.ProtocolException;
import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandler;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.handler.codec.ByteToMessageDecoder;
import io.netty.handler.ssl.SslHandler;
import java.io.EOFException;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.net.SocketTimeoutException;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;

/** The handshake's end of a channel: received bytes are kept until the waiting thread can make something of them. */
@SuppressWarnings("FutureReturnValueIgnored") // a failed write closes the channel, which ends every wait
final class Wire extends ChannelInboundHandlerAdapter implements HandshakeWire {

    /** A server that talks without being asked is not listened to beyond this. */
    private static final int MOST_UNREAD = 8 << 20;

    /** Makes a message of received bytes, or nothing while some are missing. */
    private interface Decoder<T> {
        Optional<T> decode(ByteBuf in) throws ProtocolException;
    }

    private Channel channel;
    private final Function<Channel, SslHandler> tls;
    private final Patience patience;
    private ByteBuf received;
    private Throwable ended;

    Wire(Function<Channel, SslHandler> tls, Patience patience) {
        this.tls = tls;
        this.patience = patience;
    }

    @Override
    public int greeting() throws IOException {
        return await(OptionReplyDecoder::greeting);
    }

    @Override
    public void clientFlags(int flags) {
        channel.writeAndFlush(channel.alloc().buffer(4).writeInt(flags));
    }

    @Override
    public void send(Option option, byte[] payload) {
        ByteBuf out = channel.alloc().buffer(16 + payload.length);
        OptionEncoder.option(out, option.code(), payload);
        channel.writeAndFlush(out);
    }

    @Override
    public OptionReply receive() throws IOException {
        return await(OptionReplyDecoder::next);
    }

    @Override
    public ExportInfo exportNameReply(boolean padded) throws IOException {
        return await(in -> {
            if (in.readableBytes() < (padded ? 134 : 10)) {
                return Optional.empty();
            }
            ExportInfo info = new ExportInfo(in.readLong(), in.readUnsignedShort(), BlockSizes.DEFAULT);
            in.skipBytes(padded ? 124 : 0);
            return Optional.of(info);
        });
    }

    @Override
    public void startTls() throws IOException {
        SslHandler handler = tls.apply(channel);
        // On the event loop, so that no byte can come in the clear between the look and the change.
        boolean clean = channel.eventLoop().submit(() -> {
            boolean nothingLeft = nothingReceived();
            if (nothingLeft) {
                channel.pipeline().addFirst("tls", handler);
            }
            return nothingLeft;
        }).awaitUninterruptibly().getNow();
        if (!clean) {
            throw new ProtocolException("the server sent bytes in the clear behind its consent to TLS");
        }
        if (!patience.await(wait -> handler.handshakeFuture().awaitUninterruptibly(wait, TimeUnit.NANOSECONDS))) {
            throw new SocketTimeoutException("the TLS handshake takes too long");
        }
        if (!handler.handshakeFuture().isSuccess()) {
            Throwable cause = handler.handshakeFuture().cause();
            throw new IOException("the TLS handshake failed: " + cause.getMessage(), cause);
        }
    }

    private synchronized boolean nothingReceived() {
        return received == null || !received.isReadable();
    }

    Channel channel() {
        return channel;
    }

    /** Whether this process stood still for so long that the server may have hung up for that. */
    boolean stoodStill() {
        return patience.stoodStill();
    }

    /** The handshake is over: what was received beyond it, and all that comes, is for that handler. */
    void handOver(ChannelInboundHandler next) {
        channel.eventLoop().submit(() -> {
            ChannelHandlerContext ctx = channel.pipeline().context(this);
            channel.pipeline().addLast("replies", next);
            ByteBuf rest = takeReceived();
            if (rest != null) {
                ctx.fireChannelRead(rest);
            }
            if (!channel.isActive()) {
                ctx.fireChannelInactive();
            }
            channel.pipeline().remove(this);
        }).awaitUninterruptibly();
    }

    /** Ends the connection. */
    void close() {
        channel.flush().close().awaitUninterruptibly();
        release();
    }

    private synchronized ByteBuf takeReceived() {
        ByteBuf rest = received;
        received = null;
        return rest;
    }

    @Override
    public void handlerAdded(ChannelHandlerContext ctx) {
        channel = ctx.channel();
    }

    @Override
    public synchronized void channelRead(ChannelHandlerContext ctx, Object message) throws ProtocolException {
        ByteBuf bytes = (ByteBuf) message;
        received = received == null ? bytes : ByteToMessageDecoder.MERGE_CUMULATOR.cumulate(ctx.alloc(), received, bytes);
        if (received.readableBytes() > MOST_UNREAD) {
            throw new ProtocolException("the server sends more than was asked");
        }
        notifyAll();
    }

    @Override
    public synchronized void channelInactive(ChannelHandlerContext ctx) {
        end(new EOFException("the server closed the connection during the handshake"));
    }

    @Override
    public synchronized void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
        end(cause);
        ctx.close();
    }

    private synchronized void release() {
        if (received != null) {
            received.release();
            received = null;
        }
    }

    private void end(Throwable cause) {
        if (ended == null) {
            ended = cause;
        }
        notifyAll();
    }

    private synchronized <T> T await(Decoder<T> decoder) throws IOException {
        while (true) {
            Optional<T> message = received == null ? Optional.empty() : decoder.decode(received);
            if (message.isPresent()) {
                return message.get();
            }
            if (ended != null) {
                throw new IOException(ended.getMessage(), ended);
            }
            long wait = TimeUnit.NANOSECONDS.toMillis(patience.untilNextLook());
            if (wait <= 0) {
                throw new SocketTimeoutException("the server does not answer during the handshake");
            }
            try {
                wait(wait);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new InterruptedIOException("interrupted during the handshake");
            }
        }
    }
}
