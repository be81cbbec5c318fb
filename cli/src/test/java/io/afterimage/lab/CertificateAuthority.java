package io.afterimage.lab;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;

/** An authority and what it signs, in folders and file names as QEMU, libnbd and nbdkit want them; made by openssl. */
public record CertificateAuthority(Path folder) {

    /** A new authority, whose folder also holds the certificate of a server on localhost. */
    public static CertificateAuthority create(Path folder) {
        try {
            Files.createDirectories(folder);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        Tool.run("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=authority", "-days", "30",
                "-keyout", folder.resolve("ca-key.pem").toString(), "-out", folder.resolve("ca-cert.pem").toString()).orFail();
        CertificateAuthority authority = new CertificateAuthority(folder);
        authority.sign(folder, "server", "/CN=localhost", "subjectAltName=DNS:localhost,IP:127.0.0.1");
        return authority;
    }

    /** A folder for a client that trusts the authority and can prove to be {@code subject}, such as {@code /O=Example/CN=anna}. */
    public Path client(String subject) {
        Path client = anonymous(subject.replaceAll("[^A-Za-z0-9]+", "-"));
        sign(client, "client", subject, "extendedKeyUsage=clientAuth");
        return client;
    }

    /** A folder for a client that trusts the authority and has no certificate. */
    public Path anonymous(String name) {
        try {
            Path client = Files.createDirectories(folder.resolve("client" + name));
            Files.copy(folder.resolve("ca-cert.pem"), client.resolve("ca-cert.pem"), StandardCopyOption.REPLACE_EXISTING);
            return client;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private void sign(Path target, String role, String subject, String extension) {
        Path request = target.resolve(role + ".csr");
        Path extensions = target.resolve(role + ".ext");
        try {
            Files.writeString(extensions, extension);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        Tool.run("openssl", "req", "-newkey", "rsa:2048", "-nodes", "-subj", subject,
                "-keyout", target.resolve(role + "-key.pem").toString(), "-out", request.toString()).orFail();
        Tool.run("openssl", "x509", "-req", "-in", request.toString(), "-days", "30", "-extfile", extensions.toString(),
                "-CA", folder.resolve("ca-cert.pem").toString(), "-CAkey", folder.resolve("ca-key.pem").toString(), "-CAcreateserial",
                "-out", target.resolve(role + "-cert.pem").toString()).orFail();
    }
}
