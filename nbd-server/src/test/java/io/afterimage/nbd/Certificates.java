package io.afterimage.nbd;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;

/** An authority and what it signs, in the file names of QEMU and libnbd, made by openssl. */
public record Certificates(Path folder) {

    /** A new authority, and a server certificate for localhost and 127.0.0.1. */
    public static Certificates create(Path folder) throws IOException, InterruptedException {
        Files.createDirectories(folder);
        openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", folder.resolve("ca-key.pem").toString(),
                "-out", folder.resolve("ca-cert.pem").toString(), "-subj", "/CN=authority", "-days", "30");
        Certificates certificates = new Certificates(folder);
        certificates.sign(folder, "server", "localhost", "subjectAltName=DNS:localhost,IP:127.0.0.1");
        return certificates;
    }

    /** A folder for a client that bears that name. */
    public Path client(String name) throws IOException, InterruptedException {
        Path client = Files.createDirectories(folder.resolve("client-" + name));
        Files.copy(folder.resolve("ca-cert.pem"), client.resolve("ca-cert.pem"), StandardCopyOption.REPLACE_EXISTING);
        sign(client, "client", name, "extendedKeyUsage=clientAuth");
        return client;
    }

    /** A folder for a client that trusts the authority and has no name. */
    public Path anonymous() throws IOException {
        Path client = Files.createDirectories(folder.resolve("anonymous"));
        Files.copy(folder.resolve("ca-cert.pem"), client.resolve("ca-cert.pem"), StandardCopyOption.REPLACE_EXISTING);
        return client;
    }

    private void sign(Path target, String role, String name, String extension) throws IOException, InterruptedException {
        Path request = target.resolve(role + ".csr");
        Path extensions = Files.writeString(target.resolve(role + ".ext"), extension);
        openssl("req", "-newkey", "rsa:2048", "-nodes", "-keyout", target.resolve(role + "-key.pem").toString(),
                "-out", request.toString(), "-subj", "/CN=" + name);
        openssl("x509", "-req", "-in", request.toString(), "-CA", folder.resolve("ca-cert.pem").toString(),
                "-CAkey", folder.resolve("ca-key.pem").toString(), "-CAcreateserial", "-days", "30",
                "-out", target.resolve(role + "-cert.pem").toString(), "-extfile", extensions.toString());
    }

    private static void openssl(String... arguments) throws IOException, InterruptedException {
        String[] command = new String[arguments.length + 1];
        command[0] = "openssl";
        System.arraycopy(arguments, 0, command, 1, arguments.length);
        Peer.run(command).success();
    }
}
