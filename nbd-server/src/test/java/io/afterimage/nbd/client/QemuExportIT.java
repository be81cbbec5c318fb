package io.afterimage.nbd.client;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.afterimage.block.ByteRange;
import io.afterimage.block.Extent;
import io.afterimage.nbd.Peer;
import io.afterimage.nbd.protocol.NbdUri;
import io.afterimage.nbd.protocol.StatusExtent;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Our client on the exports of QEMU: what a backup reads. */
final class QemuExportIT {

    private static final long MIB = 1 << 20;
    private static final long SIZE = 64 * MIB;

    @TempDir
    Path folder;

    @Test
    void readsDirtyBitmapAllocationAndDepthOfAnOverlay() throws Exception {
        Path base = folder.resolve("base.qcow2");
        Path top = folder.resolve("top.qcow2");
        Peer.run("qemu-img", "create", "-q", "-f", "qcow2", base.toString(), "64M").success();
        Peer.run("qemu-io", "-f", "qcow2", "-c", "write -P 1 0 8M", base.toString()).success();
        Peer.run("qemu-img", "create", "-q", "-f", "qcow2", "-b", base.toString(), "-F", "qcow2", top.toString()).success();
        Peer.run("qemu-img", "bitmap", "--add", "-f", "qcow2", top.toString(), "check-1").success();
        Peer.run("qemu-io", "-f", "qcow2", "-c", "write -P 2 1M 1M", "-c", "write -z 4M 1M", top.toString()).success();
        Path socket = folder.resolve("s");
        try (Peer nbd = Peer.serve(
                "qemu-storage-daemon",
                "--blockdev", "driver=file,node-name=f,read-only=on,filename=" + top,
                "--blockdev", "driver=qcow2,node-name=n,read-only=on,file=f",
                "--nbd-server", "addr.type=unix,addr.path=" + socket,
                "--export", "type=nbd,id=e,node-name=n,name=vda,bitmaps.0=check-1,allocation-depth=on")) {
            nbd.awaitSocket(socket);
            NbdUri uri = NbdUri.unix(socket, "vda");
            assertEquals(
                    List.of("base:allocation", "qemu:allocation-depth", "qemu:dirty-bitmap:check-1"),
                    NbdClient.contexts(uri, ClientOptions.DEFAULT));
            ClientOptions options = ClientOptions.DEFAULT
                    .withConnections(2)
                    .withContexts("base:allocation", "qemu:allocation-depth", "qemu:dirty-bitmap:check-1", "qemu:dirty-bitmap:none");
            try (RemoteDevice device = NbdClient.connect(uri, options)) {
                assertEquals(SIZE, device.size());
                assertEquals(NbdClient.contexts(uri, ClientOptions.DEFAULT), device.contexts());
                ByteRange all = new ByteRange(0, SIZE);
                assertEquals(
                        List.of(
                                new StatusExtent(0, MIB, 0),
                                new StatusExtent(MIB, MIB, 1),
                                new StatusExtent(2 * MIB, 2 * MIB, 0),
                                new StatusExtent(4 * MIB, MIB, 1),
                                new StatusExtent(5 * MIB, SIZE - 5 * MIB, 0)),
                        device.status("qemu:dirty-bitmap:check-1", all));
                assertEquals(
                        List.of(
                                new StatusExtent(0, MIB, 2),
                                new StatusExtent(MIB, MIB, 1),
                                new StatusExtent(2 * MIB, 2 * MIB, 2),
                                new StatusExtent(4 * MIB, MIB, 1),
                                new StatusExtent(5 * MIB, 3 * MIB, 2),
                                new StatusExtent(8 * MIB, SIZE - 8 * MIB, 0)),
                        device.status("qemu:allocation-depth", all));
                List<Extent> extents = device.extents(all, 100);
                assertTrue(extents.stream().anyMatch(e -> e.kind().readsAsZeros() && e.range().offset() == 8 * MIB), extents::toString);
                ByteBuffer bytes = ByteBuffer.allocateDirect((int) (10 * MIB));
                device.read(0, bytes);
                for (int mib = 0; mib < 10; mib++) {
                    int expected = mib == 1 ? 2 : mib == 4 || mib >= 8 ? 0 : 1;
                    assertEquals(expected, bytes.get((int) (mib * MIB) + 4711), "MiB " + mib);
                }
            }
        }
    }

    @Test
    void writesToQemuNbd() throws Exception {
        Path raw = folder.resolve("raw");
        Files.write(raw, new byte[(int) (4 * MIB)]);
        Path socket = folder.resolve("s");
        try (Peer nbd = Peer.serve("qemu-nbd", "-f", "raw", "-k", socket.toString(), "-x", "e", "-t", "-e", "4", raw.toString())) {
            nbd.awaitSocket(socket);
            try (RemoteDevice device = NbdClient.connect(NbdUri.unix(socket, "e"), ClientOptions.DEFAULT.withConnections(4))) {
                byte[] bytes = new byte[(int) (3 * MIB)];
                new java.util.Random(3).nextBytes(bytes);
                device.write(512, ByteBuffer.wrap(bytes));
                device.zero(new ByteRange(MIB, 4096), false);
                device.flush();
                ByteBuffer back = ByteBuffer.allocate(bytes.length);
                device.read(512, back);
                java.util.Arrays.fill(bytes, (int) MIB - 512, (int) MIB - 512 + 4096, (byte) 0);
                assertEquals(ByteBuffer.wrap(bytes), back.flip());
            }
        }
    }
}
