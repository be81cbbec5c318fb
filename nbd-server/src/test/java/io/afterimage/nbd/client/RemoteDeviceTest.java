package io.afterimage.nbd.client;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.afterimage.block.ByteRange;
import io.afterimage.block.Extent;
import io.afterimage.block.MemoryDevice;
import io.afterimage.nbd.protocol.ExportSummary;
import io.afterimage.nbd.protocol.NbdUri;
import io.afterimage.nbd.protocol.ReplyForm;
import io.afterimage.nbd.protocol.StatusExtent;
import io.afterimage.nbd.server.Export;
import io.afterimage.nbd.server.MapExports;
import io.afterimage.nbd.server.NbdServer;
import io.afterimage.nbd.server.ServerSettings;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Our client against our server, in each form of replies. */
final class RemoteDeviceTest {

    private static final long SIZE = 5L << 30;

    @TempDir
    Path folder;

    @ParameterizedTest
    @EnumSource(ReplyForm.class)
    void readsWhatWasWritten(ReplyForm form) throws IOException {
        MemoryDevice device = new MemoryDevice(SIZE);
        Export export = new Export(device, "five GiB")
                .withContext("x-test:odd", (range, limit) -> List.of(new StatusExtent(range, 7)));
        try (NbdServer server = NbdServer.start(
                        ServerSettings.on(new NbdUri.Unix(folder.resolve("s")), new NbdUri.Tcp("127.0.0.1", 0)),
                        MapExports.of("disk", export));
                RemoteDevice remote = NbdClient.connect(
                        server.uris("disk").getLast(),
                        ClientOptions.DEFAULT.withBest(form).withConnections(3).withContexts("base:allocation", "x-test:odd"))) {
            assertEquals(form, remote.form());
            assertEquals(3, remote.connections());
            assertEquals(SIZE, remote.size());
            assertEquals("five GiB", remote.description());
            byte[] bytes = new byte[7_000_001];
            new Random(1).nextBytes(bytes);
            java.util.Arrays.fill(bytes, 1_000_000, 3_000_000, (byte) 0);
            remote.write(SIZE - 8_000_000, ByteBuffer.wrap(bytes));
            remote.flush();
            ByteBuffer read = ByteBuffer.allocate(bytes.length);
            remote.read(SIZE - 8_000_000, read);
            assertArrayEquals(bytes, read.array());
            remote.zero(new ByteRange(SIZE - 8_000_000, 1_000_000), true);
            remote.trim(new ByteRange(0, SIZE - 8_000_000));
            remote.read(SIZE - 8_000_000, read.clear());
            java.util.Arrays.fill(bytes, 0, 1_000_000, (byte) 0);
            assertArrayEquals(bytes, read.array());
            List<Extent> extents = remote.extents(new ByteRange(0, SIZE), 2);
            if (form == ReplyForm.SIMPLE) {
                assertEquals(List.of(new Extent(0, SIZE, Extent.Kind.DATA)), extents);
                assertThrows(IllegalArgumentException.class, () -> remote.status("x-test:odd", new ByteRange(0, 1)));
            } else {
                assertEquals(device.extents(new ByteRange(0, SIZE), 2), extents);
                assertEquals(List.of(new StatusExtent(5, SIZE - 5, 7)), remote.status("x-test:odd", new ByteRange(5, SIZE - 5)));
            }
        }
    }

    @Test
    void listsExportsAndContexts() throws IOException {
        MapExports exports = MapExports.of("new", new Export(new MemoryDevice(1), "the newest"))
                .and("old", new Export(new MemoryDevice(1), ""));
        try (NbdServer server = NbdServer.start(ServerSettings.on(new NbdUri.Unix(folder.resolve("s"))), exports)) {
            NbdUri uri = server.uris("old").getFirst();
            assertEquals(
                    List.of(new ExportSummary("new", "the newest"), new ExportSummary("old", "")),
                    NbdClient.list(uri, ClientOptions.DEFAULT));
            assertEquals(List.of("base:allocation"), NbdClient.contexts(uri, ClientOptions.DEFAULT));
            assertEquals(1, exports.opened.get(), "a list opens nothing");
            IOException unknown = assertThrows(
                    IOException.class, () -> NbdClient.connect(uri.withExport("none"), ClientOptions.DEFAULT));
            assertTrue(unknown.getMessage().contains("there is no export 'none' here"), unknown::getMessage);
        }
    }
}
