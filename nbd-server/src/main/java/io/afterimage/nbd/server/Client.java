package io.afterimage.nbd.server;

import java.security.cert.X509Certificate;
import java.util.Optional;

/**
 * Who is at the other end of a connection.
 *
 * @param address where the connection comes from, for logs
 * @param secure whether TLS protects it
 * @param certificate the certificate that the client proved to own, checked against the server's authority
 */
public record Client(String address, boolean secure, Optional<X509Certificate> certificate) {

    /** The subject's distinguished name, in the form of RFC 2253, if the client has a certificate. */
    public Optional<String> subject() {
        return certificate.map(proved -> proved.getSubjectX500Principal().getName());
    }
}
