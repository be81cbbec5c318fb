package io.afterimage.nbd.server;

import io.afterimage.block.BlockDevice;
import io.afterimage.block.FileDevice;
import io.afterimage.nbd.protocol.NbdUri;
import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.CountDownLatch;

/**
 * A server of its own process: {@code memory|file|writable FILE SOCKET PORT}. With {@code memory} the file is served from buffers as a
 * warm cache holds them, with {@code file} from the file and the page cache, with {@code writable} so that it can be written.
 */
public final class ServeFile {

    private ServeFile() {}

    public static void main(String... arguments) throws IOException, InterruptedException {
        Path file = Path.of(arguments[1]);
        FileDevice image = arguments[0].equals("writable") ? FileDevice.openWritable(file) : FileDevice.openReadOnly(file);
        BlockDevice device = arguments[0].equals("memory") ? new ResidentDevice(image) : image;
        try (NbdServer server = NbdServer.start(
                ServerSettings.on(new NbdUri.Unix(Path.of(arguments[2])), new NbdUri.Tcp("127.0.0.1", Integer.parseInt(arguments[3]))),
                MapExports.of("e", new Export(device, "")))) {
            server.uris("e").forEach(uri -> System.out.println(uri));
            new CountDownLatch(1).await();
        }
    }
}
