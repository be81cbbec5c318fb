package io.afterimage.command;

import io.afterimage.nbd.negotiation.TlsMode;
import io.afterimage.nbd.server.ServerSettings;
import io.afterimage.nbd.server.TlsSettings;
import io.afterimage.settings.AllowList;
import java.nio.file.Path;
import java.util.Optional;
import picocli.CommandLine.Option;

/** How clients prove who they are, and what they get to see then. */
final class TlsOptions {

    @Option(
            names = "--tls",
            paramLabel = "off|on|require",
            defaultValue = "off",
            converter = Argument.Tls.class,
            description = "Whether TLS is refused, offered or demanded. Default: ${DEFAULT-VALUE}.")
    private TlsMode mode;

    @Option(
            names = "--tls-certificates",
            paramLabel = "DIR",
            description = "Holds server-cert.pem, server-key.pem and ca-cert.pem, the authority of the clients. Read at the start.")
    private Path certificates;

    @Option(
            names = "--no-tls-verify-peer",
            description = "Let in clients without a certificate of that authority, too.")
    private boolean anonymous;

    @Option(
            names = "--tls-allow",
            paramLabel = "FILE",
            description = "Who sees which machines, a line each: 'SUBJECT : MACHINE, MACHINE'. Read at the start. "
                    + "Default: whoever comes in sees all.")
    private Path allow;

    /** Adds these to the settings of a server; what does not fit together is an {@link IllegalArgumentException} for the user. */
    ServerSettings in(ServerSettings settings) {
        if (mode == TlsMode.OFF) {
            if (certificates != null || anonymous || allow != null) {
                throw new IllegalArgumentException("Certificates and allow lists mean nothing without TLS: add '--tls require'.");
            }
            return settings;
        }
        if (certificates == null) {
            throw new IllegalArgumentException(
                    "TLS needs certificates: add '--tls-certificates DIR', where server-cert.pem, server-key.pem and ca-cert.pem are.");
        }
        if (anonymous && allow != null) {
            throw new IllegalArgumentException(
                    "An allow list needs clients that prove who they are: leave out either '--tls-allow' or '--no-tls-verify-peer'.");
        }
        return settings.withTls(mode, new TlsSettings(certificates, !anonymous));
    }

    /** Who sees what, if not everybody sees everything. */
    Optional<AllowList> allowList() {
        return Optional.ofNullable(allow).map(AllowList::read);
    }
}
