package io.afterimage.nbd.server;

import io.netty.buffer.ByteBufAllocator;
import io.netty.handler.ssl.ClientAuth;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.SslHandler;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** A server's certificates, loaded once. TLS 1.2 and 1.3. */
final class TlsContext {

    private final SslContext context;

    private TlsContext(SslContext context) {
        this.context = context;
    }

    static TlsContext load(TlsSettings settings) throws IOException {
        Path folder = settings.folder();
        Path certificate = readable(folder.resolve("server-cert.pem"));
        Path key = readable(folder.resolve("server-key.pem"));
        try {
            SslContextBuilder builder = SslContextBuilder.forServer(certificate.toFile(), key.toFile())
                    .protocols("TLSv1.3", "TLSv1.2");
            if (settings.verifyClients()) {
                builder.trustManager(ClientAuthority.load(readable(folder.resolve("ca-cert.pem")))).clientAuth(ClientAuth.REQUIRE);
            } else if (Files.isReadable(folder.resolve("ca-cert.pem"))) {
                builder.trustManager(ClientAuthority.load(folder.resolve("ca-cert.pem"))).clientAuth(ClientAuth.OPTIONAL);
            }
            return new TlsContext(builder.build());
        } catch (IllegalArgumentException e) {
            throw new IOException("The certificates in " + folder + " cannot be used (" + e.getMessage()
                    + "): server-cert.pem is to be X.509, server-key.pem its key in PKCS #8 ('openssl pkcs8 -topk8 -nodes' converts others).", e);
        }
    }

    SslHandler newHandler(ByteBufAllocator alloc) {
        return context.newHandler(alloc);
    }

    private static Path readable(Path file) throws IOException {
        if (!Files.isReadable(file)) {
            throw new IOException("TLS needs the file " + file + ", which cannot be read");
        }
        return file;
    }
}
