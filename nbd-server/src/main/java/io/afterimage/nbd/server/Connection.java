package io.afterimage.nbd.server;

import io.afterimage.nbd.negotiation.Outcome;
import io.netty.buffer.ByteBufAllocator;
import io.netty.channel.Channel;
import io.netty.handler.ssl.SslHandler;
import java.security.cert.X509Certificate;
import java.util.Optional;
import javax.net.ssl.SSLPeerUnverifiedException;

/** One connection in the server's eyes: who it is, which phase it is in, how it is told to go. Belongs to the event loop. */
@SuppressWarnings("FutureReturnValueIgnored") // whether closing succeeds changes nothing
final class Connection {

    private final Channel channel;
    private final Limits limits;
    private final MemoryBudget budget;
    private final Optional<TlsContext> tls;
    private volatile Client client;
    private TransmissionHandler transmission;
    private boolean refusing;

    Connection(Channel channel, Limits limits, MemoryBudget budget, Optional<TlsContext> tls, Client client) {
        this.channel = channel;
        this.limits = limits;
        this.budget = budget;
        this.tls = tls;
        this.client = client;
    }

    Channel channel() {
        return channel;
    }

    Client client() {
        return client;
    }

    Limits limits() {
        return limits;
    }

    SslHandler newTlsHandler(ByteBufAllocator alloc) {
        SslHandler handler = tls.orElseThrow().newHandler(alloc);
        handler.setHandshakeTimeoutMillis(limits.negotiationTime().toMillis());
        return handler;
    }

    void secured(SslHandler handler) {
        Optional<X509Certificate> certificate;
        try {
            certificate = Optional.of((X509Certificate) handler.engine().getSession().getPeerCertificates()[0]);
        } catch (SSLPeerUnverifiedException _) {
            certificate = Optional.empty();
        }
        client = new Client(client.address(), true, certificate);
    }

    TransmissionHandler transmission(Outcome.Transmit agreed, SharedExports.Use use) {
        transmission = new TransmissionHandler(agreed, use, limits, budget);
        if (refusing) {
            transmission.refuseRequests();
        }
        return transmission;
    }

    void dropIfStalled() {
        if (transmission != null) {
            transmission.dropIfStalled();
        }
    }

    /** From now on every new request is answered with ESHUTDOWN. */
    void refuseRequests() {
        refusing = true;
        if (transmission != null) {
            transmission.refuseRequests();
        }
    }

    /** Finishes and answers what has begun, then closes. */
    void leave() {
        if (transmission != null) {
            transmission.leave();
        } else {
            channel.close();
        }
    }
}
