package io.afterimage.app.backup;

import io.afterimage.block.BlockDevice;
import io.afterimage.block.ByteRange;
import io.afterimage.block.MemoryDevice;
import io.afterimage.nbd.client.ClientOptions;
import io.afterimage.nbd.client.NbdClient;
import io.afterimage.nbd.protocol.BlockSizes;
import io.afterimage.nbd.protocol.ExportSummary;
import io.afterimage.nbd.protocol.NbdUri;
import io.afterimage.nbd.server.Client;
import io.afterimage.nbd.server.Contexts;
import io.afterimage.nbd.server.Export;
import io.afterimage.nbd.server.Exports;
import io.afterimage.nbd.server.NbdServer;
import io.afterimage.nbd.server.ServerSettings;
import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;

/** What a machine pushes its disks into: an NBD server on a private socket, with one export for each disk that is being received. */
final class PushExports implements Exports, Closeable {

    /** Over before a disk comes, whatever that is called. */
    private static final String REHEARSAL = "rehearsal";

    private static final int REHEARSAL_BYTES = 1 << 20;

    /**
     * QEMU copies a disk in pieces of what its target takes at most, of 1 MiB where that is more, 64 at once, and sends them from its main loop, where its guest's requests
     * wait behind them. 64 KiB are the smallest pieces that it copies (docs/decisions/0026).
     */
    private static final BlockSizes PIECES = new BlockSizes(1, 4096, 64 << 10);

    private final Map<String, BlockDevice> devices = new ConcurrentHashMap<>();
    private NbdServer server;

    private PushExports() {}

    static PushExports listenOn(Path socket) throws IOException {
        var exports = new PushExports();
        exports.server = NbdServer.start(ServerSettings.on(new NbdUri.Unix(socket)), exports);
        try {
            exports.rehearse(socket);
            return exports;
        } catch (IOException | RuntimeException e) {
            exports.close();
            throw e;
        }
    }

    /**
     * Has all done once that QEMU will have done, before it has. While QEMU is told what an export is like, its guest stands still: 0.2 s with a JVM
     * that has never told anybody.
     */
    private void rehearse(Path socket) throws IOException {
        during(REHEARSAL, new MemoryDevice(REHEARSAL_BYTES), () -> {
            try (BlockDevice device = NbdClient.connect(NbdUri.unix(socket, REHEARSAL), ClientOptions.DEFAULT)) {
                ByteRange all = new ByteRange(0, REHEARSAL_BYTES);
                device.write(0, ByteBuffer.allocate(REHEARSAL_BYTES));
                device.zero(all, true);
                device.extents(all, 1);
                device.flush();
            }
        });
    }

    /** What is done while a device is exported. */
    interface Action {
        void run() throws IOException;
    }

    /** Exports the device for as long as the action takes. */
    void during(String name, BlockDevice device, Action action) throws IOException {
        devices.put(name, device);
        try {
            action.run();
        } finally {
            devices.remove(name);
        }
    }

    @Override
    public Iterable<ExportSummary> list(Client client) {
        return List.of();
    }

    @Override
    public boolean admits(Client client, String name) {
        return devices.containsKey(name);
    }

    @Override
    public Optional<Export> open(String name) {
        return Optional.ofNullable(devices.get(name)).map(device -> new Export(device, "", Contexts.NONE, PIECES));
    }

    /** Cuts off whoever is still connected. */
    @Override
    public void close() throws IOException {
        server.close();
    }
}
