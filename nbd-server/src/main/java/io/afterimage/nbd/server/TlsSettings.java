package io.afterimage.nbd.server;

import java.nio.file.Path;

/**
 * A server's certificates, in the file names of QEMU, nbdkit and libnbd.
 *
 * @param folder holds {@code server-cert.pem} and {@code server-key.pem} (PKCS #8), and {@code ca-cert.pem}, the authority of clients
 * @param verifyClients whether a client without a certificate of that authority is turned away
 */
public record TlsSettings(Path folder, boolean verifyClients) {}
