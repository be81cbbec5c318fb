package io.afterimage.capture.qemu;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import java.util.TreeSet;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Reads a cut's disk as libnbd's tools see it. */
final class View {

    private static final int CHUNK = 64 << 10;

    private View() {}

    static byte[] read(CutDisk disk) throws IOException, InterruptedException {
        Path copy = Files.createTempFile("afterimage-view", ".raw");
        try {
            Program.run("nbdcopy", disk.uri().toString(), copy.toString());
            return Files.readAllBytes(copy);
        } finally {
            Files.delete(copy);
        }
    }

    /** The first bytes of the chunks that QEMU calls dirty. */
    static Set<Long> dirtyChunks(CutDisk disk) throws IOException, InterruptedException {
        var recorded = (Changes.Recorded) disk.changes();
        JsonNode map = JsonMapper.shared()
                .readTree(Program.run("nbdinfo", "--json", "--map=" + recorded.context(), disk.uri().toString()));
        var dirty = new TreeSet<Long>();
        for (JsonNode extent : map) {
            long offset = extent.path("offset").asLong();
            for (long at = offset; extent.path("type").asInt() == 1 && at < offset + extent.path("length").asLong(); at += CHUNK) {
                dirty.add(at);
            }
        }
        return dirty;
    }
}
