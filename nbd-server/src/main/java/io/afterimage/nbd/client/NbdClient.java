package io.afterimage.nbd.client;

import io.afterimage.nbd.negotiation.Agreed;
import io.afterimage.nbd.negotiation.ClientHandshake;
import io.afterimage.nbd.protocol.ExportSummary;
import io.afterimage.nbd.protocol.NbdUri;
import io.afterimage.nbd.protocol.TransmissionFlags;
import io.netty.bootstrap.Bootstrap;
import io.netty.buffer.PooledByteBufAllocator;
import io.netty.channel.AdaptiveRecvByteBufAllocator;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.epoll.EpollDomainSocketChannel;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.epoll.EpollSocketChannel;
import io.netty.channel.unix.DomainSocketAddress;
import io.netty.util.concurrent.DefaultThreadFactory;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.net.SocketTimeoutException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** Connects to NBD servers. */
public final class NbdClient {

    /** A handshake's words after its greeting, and what is made of the connection. */
    private interface Conversation<T> {
        T with(Wire wire, ClientHandshake handshake) throws IOException;
    }

    /** Such words, without anything that is made of it. */
    private interface Question<T> {
        T to(ClientHandshake handshake) throws IOException;
    }

    /** Made at first use; daemon threads, so that they keep no program alive. */
    private static final class Loops {
        static final EventLoopGroup GROUP = new MultiThreadIoEventLoopGroup(
                Math.min(2, Runtime.getRuntime().availableProcessors()),
                new DefaultThreadFactory("nbd-client", true),
                EpollIoHandler.newFactory());
    }

    private static final int SOCKET_BUFFER = 1 << 20;

    private NbdClient() {}

    /**
     * Opens the export of the URI.
     *
     * @throws IOException with one sentence when there is no server, no such export, or no agreement in time
     */
    public static RemoteDevice connect(NbdUri uri, ClientOptions options) throws IOException {
        List<RemoteConnection> connections = new ArrayList<>();
        try {
            RemoteConnection first = open(uri, options);
            connections.add(first);
            boolean several = first.agreed().info().can(TransmissionFlags.CAN_MULTI_CONN);
            while (several && connections.size() < options.connections()) {
                RemoteConnection more = open(uri, options);
                connections.add(more);
                if (!more.agreed().equals(first.agreed())) {
                    throw new IOException("the server describes the export differently on a second connection");
                }
            }
            return new RemoteDevice(connections);
        } catch (IOException e) {
            connections.forEach(RemoteConnection::close);
            throw new IOException("cannot use " + uri + ": " + e.getMessage(), e);
        }
    }

    /** The exports that the server lists; the URI's own export does not matter. */
    public static List<ExportSummary> list(NbdUri uri, ClientOptions options) throws IOException {
        return ask(uri, options, ClientHandshake::list);
    }

    /** Names of all metadata contexts that the server has for the URI's export; none if it knows no such things. */
    public static List<String> contexts(NbdUri uri, ClientOptions options) throws IOException {
        return ask(uri, options, handshake -> handshake.contexts(uri.export()));
    }

    private static RemoteConnection open(NbdUri uri, ClientOptions options) throws IOException {
        return converse(uri, options, (wire, handshake) -> {
            Agreed agreed = handshake.go(uri.export(), options.contexts());
            RemoteConnection connection = new RemoteConnection(wire.channel(), agreed, options.requestTime());
            wire.handOver(connection.replies());
            return connection;
        });
    }

    /** What a server tells without an export being opened. */
    private static <T> T ask(NbdUri uri, ClientOptions options, Question<T> question) throws IOException {
        return converse(uri, options, (wire, handshake) -> {
            T answer = question.to(handshake);
            handshake.abort();
            wire.close();
            return answer;
        });
    }

    /** A second time where this process stood still in the first: QEMU hangs up on clients whose handshake takes more than ten seconds. */
    private static <T> T converse(NbdUri uri, ClientOptions options, Conversation<T> conversation) throws IOException {
        Wire wire = dial(uri, options);
        try {
            return converse(wire, uri, options, conversation);
        } catch (IOException e) {
            if (!wire.stoodStill()) {
                throw e;
            }
        }
        return converse(dial(uri, options), uri, options, conversation);
    }

    /** Closes the connection if it comes to nothing. */
    private static <T> T converse(Wire wire, NbdUri uri, ClientOptions options, Conversation<T> conversation) throws IOException {
        try {
            ClientHandshake handshake = new ClientHandshake(wire);
            handshake.begin(uri.tls(), options.best());
            return conversation.with(wire, handshake);
        } catch (IOException | RuntimeException e) {
            wire.close();
            throw e;
        }
    }

    private static Wire dial(NbdUri uri, ClientOptions options) throws IOException {
        ClientTls tls = uri.tls() ? new ClientTls(uri) : null;
        Wire wire = new Wire(channel -> tls.newHandler(channel.alloc()), new Patience(options.connectTime().plus(options.negotiationTime())));
        Bootstrap bootstrap = new Bootstrap()
                .group(Loops.GROUP)
                .option(ChannelOption.ALLOCATOR, PooledByteBufAllocator.DEFAULT)
                .option(ChannelOption.RECVBUF_ALLOCATOR, new AdaptiveRecvByteBufAllocator(2048, 64 << 10, 1 << 20))
                // Netty's own would count the time for which this process stands still.
                .option(ChannelOption.CONNECT_TIMEOUT_MILLIS, 0)
                .option(ChannelOption.SO_SNDBUF, SOCKET_BUFFER)
                .option(ChannelOption.SO_RCVBUF, SOCKET_BUFFER)
                .handler(new ChannelInitializer<>() {
                    @Override
                    protected void initChannel(Channel channel) {
                        channel.pipeline().addLast(wire);
                    }
                });
        SocketAddress address = switch (uri.place()) {
            case NbdUri.Unix unix -> {
                bootstrap.channel(EpollDomainSocketChannel.class);
                yield new DomainSocketAddress(unix.path().toFile());
            }
            case NbdUri.Tcp tcp -> {
                bootstrap.channel(EpollSocketChannel.class).option(ChannelOption.TCP_NODELAY, true);
                bootstrap.option(ChannelOption.SO_KEEPALIVE, true);
                yield new InetSocketAddress(InetAddress.getByName(tcp.host()), tcp.port());
            }
        };
        ChannelFuture connecting = bootstrap.connect(address);
        if (!new Patience(options.connectTime()).await(wait -> connecting.awaitUninterruptibly(wait, TimeUnit.NANOSECONDS))) {
            connecting.channel().close().awaitUninterruptibly();
            throw new SocketTimeoutException("cannot connect to " + uri.place() + ": no answer within " + options.connectTime().toMillis() + " ms");
        }
        if (!connecting.isSuccess()) {
            throw new IOException("cannot connect to " + uri.place() + ": " + connecting.cause().getMessage(), connecting.cause());
        }
        return wire;
    }
}
