package io.afterimage.nbd.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.afterimage.block.BlockDevice;
import io.afterimage.block.FileDevice;
import io.afterimage.block.ForwardingDevice;
import io.afterimage.block.MemoryDevice;
import io.afterimage.nbd.Await;
import io.afterimage.nbd.Peer;
import io.afterimage.nbd.protocol.NbdUri;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** An export as a mounted disk, through another server, and across a restart. */
final class MountAndRestartIT {

    private static final int KILLS = 3;

    private final AtomicInteger killed = new AtomicInteger();
    private volatile Peer server;

    @TempDir
    Path folder;

    @Test
    void nbdfuseAndLoopMountAFileSystem() throws Exception {
        Path content = Files.createDirectory(folder.resolve("content"));
        byte[] bytes = new byte[3_000_000];
        new java.util.Random(1).nextBytes(bytes);
        Files.write(content.resolve("file"), bytes);
        Path image = folder.resolve("image");
        Peer.run("mkfs.ext4", "-q", "-d", content.toString(), image.toString(), "32M").success();
        Path fuse = Files.createDirectory(folder.resolve("fuse"));
        Path mount = Files.createDirectory(folder.resolve("mount"));
        try (NbdServer server = NbdServer.start(
                        ServerSettings.on(new NbdUri.Unix(folder.resolve("s"))),
                        MapExports.of("e", new Export(FileDevice.openReadOnly(image), "")));
                Peer _ = Peer.serve("nbdfuse", "-r", fuse.resolve("nbd").toString(), server.uris("e").getFirst().toString())) {
            Await.until("the file of nbdfuse", () -> Files.exists(fuse.resolve("nbd")));
            try {
                Peer.run("mount", "-o", "loop,ro", fuse.resolve("nbd").toString(), mount.toString()).success();
                assertEquals(ByteBuffer.wrap(bytes), ByteBuffer.wrap(Files.readAllBytes(mount.resolve("file"))));
            } finally {
                Peer.run("umount", mount.toString());
                Peer.run("fusermount", "-u", fuse.toString());
            }
        }
    }

    @Test
    void nbdkitsNbdPluginPassesItOn() throws Exception {
        MemoryDevice device = new MemoryDevice(8 << 20);
        device.write(3_000_000, ByteBuffer.wrap(new byte[] {1, 2, 3}));
        Path second = folder.resolve("k");
        try (NbdServer server = NbdServer.start(
                        ServerSettings.on(new NbdUri.Unix(folder.resolve("s"))), MapExports.of("e", new Export(device, "")));
                Peer nbdkit = Peer.serve("nbdkit", "-f", "-U", second.toString(), "nbd", "uri=" + server.uris("e").getFirst())) {
            nbdkit.awaitSocket(second);
            Path copy = folder.resolve("copy");
            Peer.run("nbdcopy", "nbd+unix:///?socket=" + second, copy.toString()).success();
            ByteBuffer expected = ByteBuffer.allocate(8 << 20);
            device.read(0, expected);
            assertEquals(expected.flip(), ByteBuffer.wrap(Files.readAllBytes(copy)));
            String map = Peer.run("nbdinfo", "--map", "nbd+unix:///?socket=" + second).success();
            assertTrue(map.contains("hole,zero"), map);
        }
    }

    @Test
    void qemuRidesOutARestartUnderWriteLoad() throws Exception {
        int writes = 300;
        int length = 64 << 10;
        AtomicInteger written = new AtomicInteger();
        MemoryDevice memory = new MemoryDevice((long) writes * length);
        BlockDevice device = new Counting(memory, written);
        MapExports exports = MapExports.of("e", new Export(device, ""));
        ServerSettings settings = ServerSettings.on(new NbdUri.Unix(folder.resolve("s")));
        NbdServer[] server = {NbdServer.start(settings, exports)};
        Thread restarter = Thread.ofPlatform().start(() -> {
            try {
                for (int at : new int[] {50, 120, 200}) {
                    Await.until("write " + at, () -> written.get() >= at);
                    server[0].stopForRestart(Duration.ofSeconds(2));
                    server[0] = NbdServer.start(settings, exports);
                }
            } catch (IOException | InterruptedException e) {
                throw new AssertionError(e);
            }
        });
        try {
            List<String> command = new ArrayList<>(List.of("qemu-io", "--image-opts"));
            for (int i = 0; i < writes; i++) {
                command.add("-c");
                command.add("aio_write -P " + (1 + i % 250) + " " + (long) i * length + " " + length);
            }
            command.addAll(List.of("-c", "aio_flush", "-c", "flush"));
            command.add("driver=nbd,server.type=unix,server.path=" + folder.resolve("s") + ",export=e,reconnect-delay=30");
            String said = Peer.run(command.toArray(String[]::new)).success();
            assertTrue(!said.contains("failed") && !said.contains("rror"), said);
            restarter.join();
            for (int i = 0; i < writes; i++) {
                ByteBuffer bytes = ByteBuffer.allocate(length);
                memory.read((long) i * length, bytes);
                for (byte one : bytes.array()) {
                    assertEquals((byte) (1 + i % 250), one, "write " + i);
                }
            }
        } finally {
            server[0].close();
        }
    }

    /** The server is another process, which is killed in the middle of it, several times; a flush that was answered holds. */
    @Test
    void qemuRidesOutAServerThatIsKilledUnderWriteLoad() throws Exception {
        int writes = 400;
        int length = 64 << 10;
        Path socket = folder.resolve("s");
        Path file = folder.resolve("written.raw");
        FileDevice.create(file, (long) writes * length).close();
        Thread killer = Thread.ofPlatform().unstarted(() -> killAndRestart(socket, file, writes, length));
        server = serve(file, socket);
        try {
            // Ours is listened on from the moment that it is there.
            Await.until("the server's socket", () -> Files.exists(socket));
            killer.start();
            List<String> command = new ArrayList<>(List.of("qemu-io", "--image-opts"));
            for (int i = 0; i < writes; i++) {
                command.add("-c");
                command.add("aio_write -P " + (1 + i % 250) + " " + (long) i * length + " " + length);
                if (i % 50 == 49) {
                    command.addAll(List.of("-c", "aio_flush", "-c", "flush", "-c", "sleep 300"));
                }
            }
            command.add("driver=nbd,server.type=unix,server.path=" + socket + ",export=e,reconnect-delay=60");
            String said = Peer.run(command.toArray(String[]::new)).success();
            assertTrue(!said.contains("failed") && !said.contains("rror"), said);
            killer.join();
            byte[] bytes = Files.readAllBytes(file);
            for (int i = 0; i < bytes.length; i++) {
                assertEquals((byte) (1 + i / length % 250), bytes[i], "byte " + i);
            }
            assertEquals(KILLS, killed.get());
        } finally {
            killer.interrupt();
            killer.join();
            server.close();
        }
    }

    /** Kills the server each time that more of the file has been written, and starts another in its place. */
    private void killAndRestart(Path socket, Path file, int writes, int length) {
        try (FileDevice written = FileDevice.openReadOnly(file)) {
            for (int kill = 1; kill <= KILLS; kill++) {
                long mark = (long) writes * kill / (KILLS + 1) * length;
                Await.until("the write at " + mark, () -> {
                    ByteBuffer one = ByteBuffer.allocate(1);
                    written.read(mark, one);
                    return one.get(0) != 0;
                });
                server.kill();
                server = serve(file, socket);
                killed.incrementAndGet();
            }
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private static Peer serve(Path file, Path socket) throws IOException {
        return Peer.serve(
                ProcessHandle.current().info().command().orElseThrow(), "--enable-native-access=ALL-UNNAMED",
                "-cp", System.getProperty("java.class.path"), ServeFile.class.getName(), "writable", file.toString(), socket.toString(), "0");
    }

    /** Counts what is written. */
    private static final class Counting extends ForwardingDevice {

        private final AtomicInteger written;

        Counting(MemoryDevice device, AtomicInteger written) {
            super(device);
            this.written = written;
        }

        @Override
        public void read(long offset, ByteBuffer target) throws IOException {
            device().read(offset, target);
        }

        @Override
        public void write(long offset, ByteBuffer source) throws IOException {
            super.write(offset, source);
            written.incrementAndGet();
        }
    }
}
