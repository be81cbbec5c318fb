package io.afterimage.app.backup;

import io.afterimage.block.BlockDevice;
import io.afterimage.nbd.protocol.ExportSummary;
import io.afterimage.nbd.protocol.NbdUri;
import io.afterimage.nbd.server.Client;
import io.afterimage.nbd.server.Export;
import io.afterimage.nbd.server.Exports;
import io.afterimage.nbd.server.NbdServer;
import io.afterimage.nbd.server.ServerSettings;
import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;

/** What a machine pushes its disks into: an NBD server on a private socket, with one export for each disk that is being received. */
final class PushExports implements Exports, Closeable {

    private final Map<String, BlockDevice> devices = new ConcurrentHashMap<>();
    private NbdServer server;

    private PushExports() {}

    static PushExports listenOn(Path socket) throws IOException {
        var exports = new PushExports();
        exports.server = NbdServer.start(ServerSettings.on(new NbdUri.Unix(socket)), exports);
        return exports;
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
        return Optional.ofNullable(devices.get(name)).map(device -> new Export(device, ""));
    }

    /** Cuts off whoever is still connected. */
    @Override
    public void close() throws IOException {
        server.close();
    }
}
