package io.afterimage.nbd.server;

import io.afterimage.nbd.negotiation.ServerHandshake;
import io.afterimage.nbd.negotiation.TlsMode;
import io.afterimage.nbd.protocol.NbdUri;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.buffer.PooledByteBufAllocator;
import io.netty.channel.AdaptiveRecvByteBufAllocator;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.ServerChannel;
import io.netty.channel.ServerChannelRecvByteBufAllocator;
import io.netty.channel.WriteBufferWaterMark;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.epoll.EpollServerDomainSocketChannel;
import io.netty.channel.epoll.EpollServerSocketChannel;
import io.netty.channel.unix.DomainSocketAddress;
import io.netty.util.concurrent.DefaultThreadFactory;
import java.io.Closeable;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;

/**
 * A running NBD server. Safe for use by many threads.
 *
 * <p>There are two ways to stop. {@link #stop} tells clients that this is the end: requests are refused with ESHUTDOWN, which a
 * client passes on as an error. {@link #stopForRestart} says nothing: what has begun is finished and answered, what comes later is
 * left unanswered and the connection ends, so that a client that reconnects (QEMU's {@code reconnect-delay}) asks again and loses
 * nothing.
 */
@SuppressWarnings("FutureReturnValueIgnored") // whether closing succeeds changes nothing
public final class NbdServer implements Closeable {

    /** Enough to keep both sides busy, and little enough that what one side writes is in the processor's cache when the other reads it. */
    private static final int SOCKET_BUFFER = 512 << 10;
    private static final Duration PATIENCE = Duration.ofSeconds(5);

    private final Exports exports;
    private final SharedExports shared;
    private final ServerSettings settings;
    private final Optional<TlsContext> tls;
    private final EventLoopGroup loops;
    private final MemoryBudget budget;
    private final Set<Connection> connections = ConcurrentHashMap.newKeySet();
    private final List<Channel> listeners = new CopyOnWriteArrayList<>();
    private final List<UnixSocketFile> socketFiles = new ArrayList<>();
    private final List<NbdUri.Place> bound = new ArrayList<>();
    private final AtomicInteger accepted = new AtomicInteger();
    private volatile boolean stopping;

    private NbdServer(ServerSettings settings, Exports exports) throws IOException {
        this.exports = exports;
        this.shared = new SharedExports(exports);
        this.settings = settings;
        this.tls = settings.tlsMode() == TlsMode.OFF
                ? Optional.empty()
                : Optional.of(TlsContext.load(settings.tls().orElseThrow()));
        int threads = settings.eventLoops() > 0
                ? settings.eventLoops()
                : Math.min(4, Runtime.getRuntime().availableProcessors());
        budget = new MemoryBudget(settings.limits().totalBytesInFlight());
        var neighbours = new BriefSpin.Neighbours();
        loops = new MultiThreadIoEventLoopGroup(threads, new DefaultThreadFactory("nbd"), EpollIoHandler.newFactory(0, () -> new BriefSpin(neighbours)));
    }

    /**
     * Starts to listen on all addresses of the settings, or on none.
     *
     * @throws IOException with one sentence when an address cannot be had, or the certificates cannot be used
     */
    public static NbdServer start(ServerSettings settings, Exports exports) throws IOException {
        NbdServer server = new NbdServer(settings, exports);
        try {
            for (NbdUri.Place place : settings.listen()) {
                server.listen(place);
            }
            long period = Math.max(1, settings.limits().stallTime().toMillis() / 4);
            server.loops.scheduleWithFixedDelay(server::dropStalled, period, period, TimeUnit.MILLISECONDS);
            return server;
        } catch (IOException | RuntimeException e) {
            server.close();
            throw e;
        }
    }

    /** The addresses listened on, in the order of the settings, with the port that was taken for port 0. */
    public List<NbdUri.Place> addresses() {
        return List.copyOf(bound);
    }

    /** Where an export is found: one URI per address. */
    public List<NbdUri> uris(String export) {
        boolean secure = settings.tlsMode() == TlsMode.REQUIRED;
        return bound.stream()
                .map(place -> new NbdUri(secure, place, export, Optional.empty(), Optional.empty()))
                .toList();
    }

    /** How many connections there are now. */
    public int connections() {
        return connections.size();
    }

    /** Announced stop: see the class. Returns when all connections have ended, after {@code grace} at the latest. */
    public void stop(Duration grace) throws IOException {
        end(grace, Connection::refuseRequests);
    }

    /** Silent stop: see the class. Returns when all connections have ended, after {@code grace} at the latest. */
    public void stopForRestart(Duration grace) throws IOException {
        end(grace, Connection::leave);
    }

    /** {@link #stopForRestart} with little patience. */
    @Override
    public void close() throws IOException {
        stopForRestart(PATIENCE);
    }

    private synchronized void end(Duration grace, Consumer<Connection> farewell) throws IOException {
        stopping = true;
        for (Channel listener : listeners) {
            listener.close().awaitUninterruptibly();
        }
        for (UnixSocketFile file : socketFiles) {
            file.remove();
        }
        listeners.clear();
        socketFiles.clear();
        long deadline = System.nanoTime() + grace.toNanos();
        for (Connection connection : connections) {
            connection.channel().eventLoop().execute(() -> farewell.accept(connection));
        }
        for (Connection connection : connections) {
            connection.channel().closeFuture().awaitUninterruptibly(Math.max(1, deadline - System.nanoTime()), TimeUnit.NANOSECONDS);
        }
        // Bounded, too: a stuck event loop must not make the end of the process impossible.
        for (Connection connection : connections) {
            connection.channel().close().awaitUninterruptibly(grace.toMillis());
        }
        shared.awaitUnused(grace);
        loops.shutdownGracefully(0, grace.toMillis() + 1, TimeUnit.MILLISECONDS).awaitUninterruptibly(2 * grace.toMillis() + 1);
    }

    private void listen(NbdUri.Place place) throws IOException {
        switch (place) {
            case NbdUri.Unix unix -> listenOnSocket(unix.path());
            case NbdUri.Tcp tcp -> listenOnPort(tcp);
        }
    }

    private void listenOnSocket(Path path) throws IOException {
        socketFiles.add(UnixSocketFile.create(path, temporary -> {
            var address = new DomainSocketAddress(temporary.toFile());
            listeners.add(bound(bootstrap(EpollServerDomainSocketChannel.class).bind(address), path.toString()));
        }));
        bound.add(new NbdUri.Unix(path));
    }

    private void listenOnPort(NbdUri.Tcp place) throws IOException {
        InetAddress address = addressOf(place);
        if (!address.isLoopbackAddress() && settings.tlsMode() != TlsMode.REQUIRED && !settings.insecure()) {
            throw new IOException("refused to listen on " + place
                    + ": anybody in the network could read the disks; require TLS or allow it as insecure");
        }
        ServerBootstrap bootstrap = bootstrap(EpollServerSocketChannel.class)
                .option(ChannelOption.SO_REUSEADDR, true)
                .childOption(ChannelOption.TCP_NODELAY, true)
                .childOption(ChannelOption.SO_KEEPALIVE, true);
        Channel listener = bound(bootstrap.bind(new InetSocketAddress(address, place.port())), place.toString());
        listeners.add(listener);
        bound.add(new NbdUri.Tcp(place.host(), ((InetSocketAddress) listener.localAddress()).getPort()));
    }

    private static InetAddress addressOf(NbdUri.Tcp place) throws IOException {
        try {
            return InetAddress.getByName(place.host());
        } catch (UnknownHostException e) {
            throw new IOException("cannot listen on " + place + ": no host of that name is known; write an address of this host", e);
        }
    }

    private static Channel bound(ChannelFuture binding, String place) throws IOException {
        if (!binding.awaitUninterruptibly().isSuccess()) {
            throw new IOException("cannot listen on " + place + ": " + binding.cause().getMessage(), binding.cause());
        }
        return binding.channel();
    }

    private ServerBootstrap bootstrap(Class<? extends ServerChannel> type) {
        return new ServerBootstrap()
                .group(loops)
                .channel(type)
                .handler(acceptor())
                .option(ChannelOption.SO_BACKLOG, 1024)
                // One at a time, so that the limit of connections is kept.
                .option(ChannelOption.RECVBUF_ALLOCATOR, new ServerChannelRecvByteBufAllocator())
                .childOption(ChannelOption.ALLOCATOR, PooledByteBufAllocator.DEFAULT)
                .childOption(ChannelOption.RECVBUF_ALLOCATOR, new AdaptiveRecvByteBufAllocator(2048, 16 << 10, 256 << 10))
                .childOption(ChannelOption.WRITE_BUFFER_WATER_MARK, new WriteBufferWaterMark(1 << 20, 4 << 20))
                .childOption(ChannelOption.SO_SNDBUF, SOCKET_BUFFER)
                .childOption(ChannelOption.SO_RCVBUF, SOCKET_BUFFER)
                .childHandler(new ChannelInitializer<>() {
                    @Override
                    protected void initChannel(Channel channel) {
                        welcome(channel);
                    }
                });
    }

    /**
     * At the limit, new connections are left in the kernel's queue. Counted where they are accepted, since a connection is set up on
     * a loop of its own, later; two addresses that accept at the same moment may exceed the limit by one.
     */
    private ChannelInboundHandlerAdapter acceptor() {
        return new ChannelInboundHandlerAdapter() {
            @Override
            public boolean isSharable() {
                return true;
            }

            @Override
            public void channelRead(ChannelHandlerContext ctx, Object child) {
                accepted.incrementAndGet();
                ((Channel) child).closeFuture().addListener(_ -> {
                    accepted.decrementAndGet();
                    acceptWhileThereIsRoom();
                });
                acceptWhileThereIsRoom();
                ctx.fireChannelRead(child);
            }
        };
    }

    private void acceptWhileThereIsRoom() {
        boolean room = accepted.get() < settings.limits().connections();
        for (Channel listener : listeners) {
            listener.config().setAutoRead(room);
        }
    }

    /** Looks after clients that sit on memory which others wait for. */
    private void dropStalled() {
        if (budget.isShort()) {
            for (Connection connection : connections) {
                connection.channel().eventLoop().execute(connection::dropIfStalled);
            }
        }
    }

    private void welcome(Channel channel) {
        Client client = new Client(String.valueOf(channel.remoteAddress()), false, Optional.empty());
        Connection connection = new Connection(channel, settings.limits(), budget, tls, client);
        connections.add(connection);
        channel.closeFuture().addListener(_ -> connections.remove(connection));
        if (stopping) {
            channel.close();
            return;
        }
        ConnectionOffering offering = new ConnectionOffering(exports, shared, client);
        ServerHandshake handshake =
                new ServerHandshake(offering, settings.tlsMode(), settings.limits().options(), () -> stopping);
        channel.pipeline().addLast("negotiation", new NegotiationHandler(connection, offering, handshake));
    }
}
