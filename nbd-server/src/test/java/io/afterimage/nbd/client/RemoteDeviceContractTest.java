package io.afterimage.nbd.client;

import io.afterimage.block.BlockDevice;
import io.afterimage.block.BlockDeviceContract;
import io.afterimage.block.MemoryDevice;
import io.afterimage.nbd.protocol.NbdUri;
import io.afterimage.nbd.server.Export;
import io.afterimage.nbd.server.MapExports;
import io.afterimage.nbd.server.NbdServer;
import io.afterimage.nbd.server.ServerSettings;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.io.TempDir;

/** A device is a device, also with a socket in between. */
final class RemoteDeviceContractTest extends BlockDeviceContract {

    @TempDir
    Path folder;

    private NbdServer server;

    @Override
    protected BlockDevice create(byte[] content) throws IOException {
        MemoryDevice device = new MemoryDevice(content.length);
        device.write(0, ByteBuffer.wrap(content));
        server = NbdServer.start(
                ServerSettings.on(new NbdUri.Unix(folder.resolve("s"))), MapExports.of("e", new Export(device, "")));
        return NbdClient.connect(server.uris("").getFirst(), ClientOptions.DEFAULT.withConnections(2));
    }

    @AfterEach
    void stop() throws IOException {
        server.close();
    }
}
