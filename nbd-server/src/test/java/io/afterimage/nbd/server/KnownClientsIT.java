package io.afterimage.nbd.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.afterimage.block.ByteRange;
import io.afterimage.block.MemoryDevice;
import io.afterimage.nbd.Peer;
import io.afterimage.nbd.protocol.NbdUri;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Unmodified clients of others on our server: libnbd's tools, QEMU's tools, fio. */
final class KnownClientsIT {

    private static final int SIZE = 64 << 20;

    @TempDir
    Path folder;

    private final MemoryDevice device = new MemoryDevice(SIZE);
    private Path raw;
    private NbdServer server;

    @BeforeEach
    void start() throws Exception {
        byte[] image = new byte[SIZE];
        Random random = new Random(7);
        byte[] run = new byte[1 << 20];
        for (int at = 0; at < SIZE; at += 4 << 20) {
            random.nextBytes(run);
            System.arraycopy(run, 0, image, at, run.length);
        }
        device.write(0, ByteBuffer.wrap(image));
        for (int at = 0; at < SIZE; at += 4 << 20) {
            device.zero(new ByteRange(at + (1 << 20), 3 << 20), true);
        }
        raw = folder.resolve("raw");
        Files.write(raw, image);
        server = NbdServer.start(
                ServerSettings.on(new NbdUri.Unix(folder.resolve("s")), new NbdUri.Tcp("127.0.0.1", 0)),
                MapExports.of("vm/disk@latest", new Export(device, "a disk with holes")));
    }

    @AfterEach
    void stop() throws Exception {
        server.close();
    }

    private String uri(String transport) {
        return server.uris("vm/disk@latest").get(transport.equals("unix") ? 0 : 1).toString();
    }

    @ParameterizedTest
    @ValueSource(strings = {"unix", "tcp"})
    void nbdinfoTellsWhatIsThere(String transport) throws Exception {
        String info = Peer.run("nbdinfo", uri(transport)).success();
        assertTrue(info.contains("export-size: 67108864 (64M)"), info);
        assertTrue(info.contains("description: a disk with holes"), info);
        assertTrue(info.contains("base:allocation"), info);
        assertTrue(info.contains("can_multi_conn: true"), info);
        String map = Peer.run("nbdinfo", "--map", "--totals", uri(transport)).success();
        assertTrue(map.contains("16777216  25.0%   0 data"), map);
        assertTrue(map.contains("50331648  75.0%   3 hole,zero"), map);
        String list = Peer.run("nbdinfo", "--list", uri(transport)).success();
        assertTrue(list.contains("vm/disk@latest"), list);
    }

    @ParameterizedTest
    @ValueSource(strings = {"unix", "tcp"})
    void nbdcopyCopiesBothWays(String transport) throws Exception {
        Path copy = folder.resolve("copy");
        Peer.run("nbdcopy", "--connections=4", "--requests=64", uri(transport), copy.toString()).success();
        assertEquals(-1, Files.mismatch(raw, copy));
        device.zero(new ByteRange(0, SIZE), true);
        Peer.run("nbdcopy", "--connections=4", raw.toString(), uri(transport)).success();
        Peer.run("qemu-img", "compare", "-f", "raw", "-F", "raw", uri(transport), raw.toString()).success();
    }

    @Test
    void qemuImgReadsComparesConverts() throws Exception {
        Peer.run("qemu-img", "compare", "-f", "raw", "-F", "raw", uri("unix"), raw.toString()).success();
        String map = Peer.run("qemu-img", "map", "-f", "raw", "--output=json", uri("unix")).success();
        assertTrue(map.contains("\"start\": 1048576, \"length\": 3145728, \"depth\": 0, \"present\": true, \"zero\": true"), map);
        device.zero(new ByteRange(0, SIZE), true);
        Peer.run("qemu-img", "convert", "-n", "-f", "raw", "-O", "raw", raw.toString(), uri("unix")).success();
        Peer.run("qemu-img", "compare", "-f", "raw", "-F", "raw", uri("tcp"), raw.toString()).success();
    }

    @Test
    void qemuIoWritesZeroesAndDiscards() throws Exception {
        String said = Peer.run(
                        "qemu-io", "-f", "raw",
                        "-c", "write -P 17 512 1536", "-c", "read -P 17 512 1536",
                        "-c", "write -z -u 0 1M", "-c", "read -P 0 0 1M",
                        "-c", "write -f -P 18 3M 64k", "-c", "read -P 18 3M 64k",
                        "-c", "discard 1M 1M", "-c", "flush", uri("unix"))
                .success();
        assertTrue(!said.contains("failed") && !said.contains("error"), said);
    }

    @ParameterizedTest
    @ValueSource(strings = {"unix", "tcp"})
    void fioVerifiesWhatItWrote(String transport) throws Exception {
        String said = Peer.run(
                        "fio", "--name=v", "--ioengine=nbd", "--uri=" + uri(transport), "--rw=randwrite", "--bs=4k-64k",
                        "--size=48m", "--iodepth=16", "--verify=crc32c", "--verify_fatal=1", "--do_verify=1", "--verify_state_save=0", "--fsync=64")
                .success();
        assertTrue(said.contains("err= 0"), said);
    }
}
