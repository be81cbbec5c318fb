package io.afterimage.nbd.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.afterimage.block.ByteRange;
import io.afterimage.block.Extent;
import io.afterimage.block.FileDevice;
import io.afterimage.nbd.Await;
import io.afterimage.nbd.NewerPeers;
import io.afterimage.nbd.client.ClientOptions;
import io.afterimage.nbd.client.NbdClient;
import io.afterimage.nbd.client.RemoteDevice;
import io.afterimage.nbd.protocol.NbdUri;
import io.afterimage.nbd.protocol.ReplyForm;
import io.afterimage.nbd.protocol.StatusExtent;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** QEMU 10 and libnbd 1.22: extended headers, both ways. */
final class NewerClientsIT {

    private static final long SIZE = 6L << 30;

    @TempDir
    Path folder;

    private NewerPeers peers;
    private FileDevice device;
    private NbdServer server;
    private String uri;
    private RemoteDevice user;

    @BeforeEach
    void start() throws Exception {
        peers = NewerPeers.get();
        device = FileDevice.create(folder.resolve("raw"), SIZE);
        byte[] bytes = new byte[3 << 20];
        new Random(1).nextBytes(bytes);
        device.write(1 << 20, ByteBuffer.wrap(bytes));
        device.write(SIZE - bytes.length, ByteBuffer.wrap(bytes));
        Export export = new Export(device, "six GiB, mostly holes")
                .withContext("x-test:all", (range, limit) -> List.of(new StatusExtent(range, 1)));
        server = NbdServer.start(ServerSettings.on(new NbdUri.Tcp("127.0.0.1", 0)), MapExports.of("e", export));
        uri = server.uris("e").getFirst().toString();
        // The device lives as long as somebody uses the export.
        user = NbdClient.connect(server.uris("e").getFirst(), ClientOptions.DEFAULT);
    }

    @AfterEach
    void stop() throws IOException {
        if (server != null) {
            user.close();
            server.close();
        }
    }

    @Test
    void libnbdUsesExtendedHeadersAndSeesLongHoles() throws Exception {
        String info = peers.run("nbdinfo", uri).success();
        assertTrue(info.contains("using extended packets"), info);
        String map = peers.run("nbdinfo", "--map", uri).success();
        assertEquals(4, map.lines().count(), map);
        String test = peers.run("nbdinfo", "--map=x-test:all", uri).success();
        assertEquals(1, test.lines().count(), test);
        peers.run("nbdcopy", uri, "null:").success();
    }

    @Test
    void libnbdFiltersContexts() throws Exception {
        String script = String.join("\n",
                "import nbd",
                "h = nbd.NBD()",
                "h.add_meta_context('base:allocation')",
                "h.add_meta_context('x-test:all')",
                "h.connect_uri('" + uri + "')",
                "assert h.get_extended_headers_negotiated()",
                "assert h.can_block_status_payload()",
                "seen = []",
                "h.block_status_filter(h.get_size(), 0, ['x-test:all'], lambda c, o, e, err: seen.append((c, e)) or 0)",
                "assert seen == [('x-test:all', [(6 << 30, 1)])], seen",
                "h.zero(5 << 30, 512)",
                "h.trim(5 << 30, 512)",
                "b = h.pread(1 << 20, 4 << 20)",
                "h.pwrite(b, 8 << 20)",
                "h.flush()",
                "h.shutdown()");
        Path file = peers.file(".py");
        Files.writeString(file, script);
        peers.run("/usr/bin/python3", peers.within(file)).success();
        Files.delete(file);
        assertEquals(Extent.Kind.HOLE, device.extents(new ByteRange(512, 1 << 20), 1).getFirst().kind());
    }

    @Test
    void qemuConvertsComparesAndWrites() throws Exception {
        Path copy = peers.file(".raw");
        peers.run("qemu-img", "convert", "-f", "raw", "-O", "raw", uri, peers.within(copy)).success();
        peers.run("qemu-img", "compare", "-f", "raw", "-F", "raw", uri, peers.within(copy)).success();
        String said = peers.run(
                        "qemu-io", "-f", "raw", "-c", "write -z -u 0 2047M", "-c", "read -P 0 1M 3M", "-c", "write -P 7 5M 1M",
                        "-c", "discard 2G 2047M", "-c", "flush", "-c", "read -P 7 5M 1M", uri)
                .success();
        assertTrue(!said.contains("failed") && !said.contains("error"), said);
        Files.delete(copy);
    }

    @Test
    void ourClientUsesExtendedHeadersWithQemu() throws Exception {
        Path image = peers.file(".raw");
        try (FileDevice raw = FileDevice.openWritable(image)) {
            assertEquals(0, raw.size());
        }
        Files.delete(image);
        FileDevice.create(image, SIZE).close();
        try (var qemu = peers.serve(
                "qemu-nbd", "-f", "raw", "-t", "-b", "127.0.0.1", "-p", "10899", "-x", "e", "-e", "4", "-A", peers.within(image))) {
            RemoteDevice[] opened = new RemoteDevice[1];
            Await.until("qemu-nbd", () -> {
                try {
                    opened[0] = NbdClient.connect(
                            NbdUri.tcp("127.0.0.1", 10899, "e"),
                            ClientOptions.DEFAULT.withConnections(2).withContexts("base:allocation", "qemu:allocation-depth"));
                    return true;
                } catch (IOException e) {
                    assertTrue(qemu.isAlive(), e::toString);
                    return false;
                }
            });
            try (RemoteDevice remote = opened[0]) {
                assertEquals(ReplyForm.EXTENDED, remote.form());
                byte[] bytes = new byte[3 << 20];
                new Random(2).nextBytes(bytes);
                remote.write(5L << 30, ByteBuffer.wrap(bytes));
                remote.zero(new ByteRange(0, 5L << 30), true);
                remote.flush();
                ByteBuffer back = ByteBuffer.allocate(bytes.length);
                remote.read(5L << 30, back);
                assertEquals(ByteBuffer.wrap(bytes), back.flip());
                assertEquals(1, remote.status("qemu:allocation-depth", new ByteRange(5L << 30, 1 << 20)).size());
                assertEquals(5L << 30, remote.extents(new ByteRange(0, SIZE), 1).getFirst().range().length());
            }
        } finally {
            Files.deleteIfExists(image);
        }
    }
}
