package io.afterimage.nbd.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.afterimage.block.MemoryDevice;
import io.afterimage.nbd.Certificates;
import io.afterimage.nbd.Peer;
import io.afterimage.nbd.client.ClientOptions;
import io.afterimage.nbd.client.NbdClient;
import io.afterimage.nbd.client.RemoteDevice;
import io.afterimage.nbd.negotiation.TlsMode;
import io.afterimage.nbd.protocol.ExportSummary;
import io.afterimage.nbd.protocol.NbdUri;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** TLS with the clients of others and ours: off, offered, demanded; who sees what. */
final class TlsIT {

    private static final int ACK = 1;
    private static final int INVALID = -3;
    private static final int TLS_REQD = -5;
    private static final int SIZE = 9 << 20;

    @TempDir
    static Path folder;

    private static Certificates certificates;
    private final MemoryDevice device = new MemoryDevice(SIZE);
    private NbdServer server;
    private Path socket;

    @BeforeAll
    static void certify() throws Exception {
        certificates = Certificates.create(folder.resolve("pki"));
    }

    /** Each tenant sees the export of its name; without a name there is only the public one. */
    private final class Tenants implements Exports {

        private String owner(Client client) {
            return client.subject().map(subject -> subject.replace("CN=", "")).orElse("public");
        }

        @Override
        public Iterable<ExportSummary> list(Client client) {
            return List.of(new ExportSummary(owner(client) + "/disk", ""));
        }

        @Override
        public boolean admits(Client client, String name) {
            return name.equals(owner(client) + "/disk");
        }

        @Override
        public Optional<Export> open(String name) {
            return Optional.of(new Export(device, ""));
        }
    }

    private void start(TlsMode mode, boolean verify) throws Exception {
        start(mode, verify, Limits.DEFAULT);
    }

    private void start(TlsMode mode, boolean verify, Limits limits) throws Exception {
        byte[] bytes = new byte[SIZE];
        new Random(1).nextBytes(bytes);
        device.write(0, ByteBuffer.wrap(bytes));
        socket = folder.resolve("s");
        server = NbdServer.start(
                ServerSettings.on(new NbdUri.Unix(socket), new NbdUri.Tcp("127.0.0.1", 0))
                        .withLimits(limits)
                        .withTls(mode, new TlsSettings(certificates.folder(), verify)),
                new Tenants());
    }

    @AfterEach
    void stop() throws IOException {
        server.close();
    }

    private RawClient raw() throws IOException {
        return RawClient.greeted(((NbdUri.Tcp) server.addresses().getLast()).port());
    }

    private String nbds(Path client, String export) {
        return "nbds+unix:///" + export + "?socket=" + socket + "&tls-certificates=" + client;
    }

    @Test
    void libnbdAndQemuAndOurClientComeInWithCertificates() throws Exception {
        start(TlsMode.REQUIRED, true);
        Path anna = certificates.client("anna");
        String info = Peer.run("nbdinfo", nbds(anna, "anna/disk")).success();
        assertTrue(info.contains("with TLS"), info);
        assertTrue(info.contains("export-size: 9437184"), info);
        Peer.run("nbdcopy", nbds(anna, "anna/disk"), "null:").success();
        String image = "driver=nbd,server.type=unix,server.path=" + socket + ",export=anna/disk,tls-creds=t,tls-hostname=localhost";
        Peer.run("qemu-img", "convert", "--object", "tls-creds-x509,id=t,endpoint=client,dir=" + anna, "--image-opts", image,
                        "-O", "raw", folder.resolve("copy").toString())
                .success();
        try (RemoteDevice remote = NbdClient.connect(NbdUri.parse(nbds(anna, "anna/disk")), ClientOptions.DEFAULT.withConnections(2))) {
            ByteBuffer mine = ByteBuffer.allocate(SIZE);
            remote.read(0, mine);
            ByteBuffer theirs = ByteBuffer.wrap(java.nio.file.Files.readAllBytes(folder.resolve("copy")));
            assertEquals(theirs, mine.flip());
            remote.write(5, ByteBuffer.wrap(new byte[] {1, 2, 3}));
            remote.flush();
        }
    }

    @Test
    void aTenantSeesItsOwnAndNothingElse() throws Exception {
        start(TlsMode.REQUIRED, true);
        Path anna = certificates.client("anna");
        Path bert = certificates.client("bert");
        NbdUri annas = NbdUri.parse(nbds(anna, "anna/disk"));
        assertEquals(List.of(new ExportSummary("anna/disk", "")), NbdClient.list(annas, ClientOptions.DEFAULT));
        NbdClient.connect(annas, ClientOptions.DEFAULT).close();
        assertThrows(IOException.class, () -> NbdClient.connect(NbdUri.parse(nbds(bert, "anna/disk")), ClientOptions.DEFAULT));
        assertTrue(Peer.run("nbdinfo", nbds(bert, "anna/disk")).code() != 0);
    }

    @Test
    void withoutTheAuthoritysCertificateNobodyComesIn() throws Exception {
        start(TlsMode.REQUIRED, true);
        assertThrows(
                IOException.class, () -> NbdClient.connect(NbdUri.parse(nbds(certificates.anonymous(), "public/disk")), ClientOptions.DEFAULT));
        Path stranger = Certificates.create(folder.resolve("other")).client("anna");
        java.nio.file.Files.copy(certificates.folder().resolve("ca-cert.pem"), stranger.resolve("ca-cert.pem"),
                java.nio.file.StandardCopyOption.REPLACE_EXISTING);
        assertThrows(IOException.class, () -> NbdClient.connect(NbdUri.parse(nbds(stranger, "anna/disk")), ClientOptions.DEFAULT));
        assertTrue(Peer.run("nbdinfo", nbds(stranger, "anna/disk")).code() != 0);
    }

    @Test
    void ourClientRefusesAServerOfAnotherAuthorityOrName() throws Exception {
        start(TlsMode.REQUIRED, false);
        Path other = Certificates.create(folder.resolve("elsewhere")).anonymous();
        assertThrows(IOException.class, () -> NbdClient.connect(NbdUri.parse(nbds(other, "public/disk")), ClientOptions.DEFAULT));
        NbdUri wrongName = NbdUri.parse(nbds(certificates.anonymous(), "public/disk") + "&tls-hostname=elsewhere");
        assertThrows(IOException.class, () -> NbdClient.connect(wrongName, ClientOptions.DEFAULT));
        NbdClient.connect(NbdUri.parse(nbds(certificates.anonymous(), "public/disk")), ClientOptions.DEFAULT).close();
    }

    @Test
    void whereTlsIsDemandedNothingElseIsAnswered() throws Exception {
        start(TlsMode.REQUIRED, false);
        try (RawClient client = raw()) {
            for (int option : new int[] {3, 6, 7, 8, 9, 10, 11, 99}) {
                assertEquals(TLS_REQD, client.ask(option), "option " + option);
            }
            assertEquals(ACK, client.ask(2));
            client.assertClosed();
        }
        try (RawClient client = raw()) {
            client.option(1, "public/disk".getBytes(java.nio.charset.StandardCharsets.UTF_8)).assertClosed();
        }
        assertTrue(Peer.run("nbdinfo", "nbd+unix:///public/disk?socket=" + socket).code() != 0);
    }

    @Test
    void whereTlsIsOfferedTheClearSeesOnlyThePublic() throws Exception {
        start(TlsMode.OPTIONAL, false);
        try (RawClient client = raw()) {
            assertEquals(2, client.option(3).replies().size());
            assertEquals(TLS_REQD, client.ask(6, RawClient.info("anna/disk")));
            assertEquals(TLS_REQD, client.ask(7, RawClient.info("no/such")));
            assertEquals(ACK, client.ask(7, RawClient.info("public/disk")));
        }
        NbdClient.connect(NbdUri.parse(nbds(certificates.client("anna"), "anna/disk")), ClientOptions.DEFAULT).close();
        NbdClient.connect(NbdUri.unix(socket, "public/disk"), ClientOptions.DEFAULT).close();
    }

    @Test
    void bytesInTheClearBehindStartTlsEndTheConnection() throws Exception {
        start(TlsMode.OPTIONAL, false);
        try (RawClient client = raw()) {
            client.send(RawClient.join(RawClient.optionBytes(5, new byte[0]), RawClient.optionBytes(3, new byte[0]))).assertClosed();
        }
    }

    @Test
    void whatWasAgreedInTheClearIsForgotten() throws Exception {
        start(TlsMode.OPTIONAL, false);
        try (RawClient client = raw()) {
            assertEquals(ACK, client.ask(8), "structured replies");
            assertEquals(ACK, client.ask(10, RawClient.meta("public/disk", "base:allocation")));
            assertEquals(ACK, client.ask(5));
            javax.net.ssl.SSLContext context = trusting();
            var secure = (javax.net.ssl.SSLSocket) context.getSocketFactory().createSocket(client.socket(), "localhost", 0, true);
            secure.startHandshake();
            client.use(secure);
            assertEquals(INVALID, client.ask(5), "a second time");
            assertEquals(INVALID, client.ask(10, RawClient.meta("public/disk", "base:allocation")), "no structured replies yet");
            assertEquals(-6, client.ask(7, RawClient.info("no/such")), "never TLS_REQD under TLS");
            assertEquals(ACK, client.ask(7, RawClient.info("public/disk")));
            client.send(RawClient.request(0, 0, 1, 0, 512));
            assertEquals(0, client.simple(1));
            client.read(512);
            client.send(RawClient.join(RawClient.request(0, 1, 2, 0, 40 << 20), new byte[40 << 20]));
            assertEquals(28, client.simple(2), "an overlong write is drained through TLS");
            client.send(RawClient.request(0, 2, 3, 0, 0));
            assertEquals(-1, client.in().read(), "an orderly end");
        }
    }

    @Test
    void aHandshakeOfTlsThatFailsOrStallsEndsTheConnection() throws Exception {
        start(TlsMode.REQUIRED, false, Limits.DEFAULT.withNegotiationTime(java.time.Duration.ofSeconds(2)));
        try (RawClient garbled = raw();
                RawClient silent = raw();
                RawClient old = raw()) {
            assertEquals(ACK, silent.ask(5));
            assertEquals(ACK, garbled.ask(5));
            garbled.send("GET / HTTP/1.1\r\n\r\n".getBytes(java.nio.charset.StandardCharsets.US_ASCII)).rest();
            assertEquals(ACK, old.ask(5));
            var tls = (javax.net.ssl.SSLSocket) trusting().getSocketFactory().createSocket(old.socket(), "localhost", 0, true);
            tls.setEnabledProtocols(new String[] {"TLSv1.1"});
            assertThrows(IOException.class, tls::startHandshake, "TLS before 1.2");
            silent.assertClosed();
        }
    }

    private static javax.net.ssl.SSLContext trusting() throws Exception {
        java.security.KeyStore store = java.security.KeyStore.getInstance(java.security.KeyStore.getDefaultType());
        store.load(null);
        try (var in = java.nio.file.Files.newInputStream(certificates.folder().resolve("ca-cert.pem"))) {
            store.setCertificateEntry("ca", java.security.cert.CertificateFactory.getInstance("X.509").generateCertificate(in));
        }
        var trust = javax.net.ssl.TrustManagerFactory.getInstance(javax.net.ssl.TrustManagerFactory.getDefaultAlgorithm());
        trust.init(store);
        var context = javax.net.ssl.SSLContext.getInstance("TLS");
        context.init(null, trust.getTrustManagers(), null);
        return context;
    }
}
