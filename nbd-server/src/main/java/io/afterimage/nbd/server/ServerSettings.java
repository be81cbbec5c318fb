package io.afterimage.nbd.server;

import io.afterimage.nbd.negotiation.TlsMode;
import io.afterimage.nbd.protocol.NbdUri;
import java.util.List;
import java.util.Optional;

/**
 * How a server is run.
 *
 * @param listen unix sockets (created with mode 0600) and TCP addresses; port 0 takes a free one
 * @param tlsMode whether TLS is offered or demanded
 * @param tls certificates; present unless the mode is {@link TlsMode#OFF}
 * @param insecure allows TCP beyond loopback without demanded TLS
 * @param limits what clients may use up
 * @param eventLoops threads that move bytes; 0 for one per processor, four at most
 */
public record ServerSettings(
        List<NbdUri.Place> listen, TlsMode tlsMode, Optional<TlsSettings> tls, boolean insecure, Limits limits, int eventLoops) {

    public ServerSettings {
        listen = List.copyOf(listen);
        if (listen.isEmpty()) {
            throw new IllegalArgumentException("an NBD server listens on at least one address");
        }
        if (tlsMode != TlsMode.OFF && tls.isEmpty()) {
            throw new IllegalArgumentException("TLS needs certificates");
        }
    }

    /** Sane limits, no TLS. */
    public static ServerSettings on(NbdUri.Place... listen) {
        return new ServerSettings(List.of(listen), TlsMode.OFF, Optional.empty(), false, Limits.DEFAULT, 0);
    }

    public ServerSettings withTls(TlsMode mode, TlsSettings settings) {
        return new ServerSettings(listen, mode, Optional.of(settings), insecure, limits, eventLoops);
    }

    public ServerSettings withInsecure(boolean allowed) {
        return new ServerSettings(listen, tlsMode, tls, allowed, limits, eventLoops);
    }

    public ServerSettings withLimits(Limits other) {
        return new ServerSettings(listen, tlsMode, tls, insecure, other, eventLoops);
    }

    public ServerSettings withEventLoops(int count) {
        return new ServerSettings(listen, tlsMode, tls, insecure, limits, count);
    }
}
