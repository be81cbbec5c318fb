package io.afterimage.nbd.client;

import io.afterimage.nbd.protocol.NbdUri;
import io.netty.buffer.ByteBufAllocator;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.SslHandler;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * The client's certificates, in the file names of QEMU and libnbd. The server's certificate is always checked, its name too: against
 * the host, or {@code tls-hostname}; on a unix socket without one, against {@code localhost}.
 */
final class ClientTls {

    private final SslContext context;
    private final String hostname;

    ClientTls(NbdUri uri) throws IOException {
        hostname = uri.tlsHostname().orElse(uri.place() instanceof NbdUri.Tcp tcp ? tcp.host() : "localhost");
        SslContextBuilder builder = SslContextBuilder.forClient().protocols("TLSv1.3", "TLSv1.2");
        try {
            if (uri.tlsCertificates().isPresent()) {
                Path folder = uri.tlsCertificates().get();
                Path authority = folder.resolve("ca-cert.pem");
                if (!Files.isReadable(authority)) {
                    throw new IOException("TLS needs the file " + authority + ", which cannot be read");
                }
                builder.trustManager(authority.toFile());
                Path certificate = folder.resolve("client-cert.pem");
                if (Files.isReadable(certificate)) {
                    builder.keyManager(certificate.toFile(), folder.resolve("client-key.pem").toFile());
                }
            }
            context = builder.endpointIdentificationAlgorithm("HTTPS").build();
        } catch (IllegalArgumentException e) {
            throw new IOException("the certificates of " + uri + " cannot be used: " + e.getMessage(), e);
        }
    }

    SslHandler newHandler(ByteBufAllocator alloc) {
        return context.newHandler(alloc, hostname, -1);
    }
}
