package io.afterimage.command;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.afterimage.lab.Tool;
import io.afterimage.store.s3.S3TestBucket;
import io.afterimage.store.s3.SwiftServer;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;

/** A second site is one command, and holds what the first one holds: in a folder, or in an object store, under another key. */
class CopyIT {

    @TempDir
    Path folder;

    private Program afterimage;
    private Path disk;
    /** What the disk was at each backup. */
    private final List<Path> moments = new ArrayList<>();

    @BeforeEach
    void makeHistory() throws IOException {
        afterimage = new Program(folder);
        disk = afterimage.image("disk.raw", 9_000_448, "a disk".getBytes(StandardCharsets.UTF_8));
        afterimage.run("init").orFail();
        backUp(3, 40);
        backUp(70, 5);
        backUp(130, 7);
    }

    private void backUp(int at, int count) throws IOException {
        Tool.run("dd", "if=/dev/urandom", "of=" + disk, "bs=64k", "seek=" + at, "count=" + count, "conv=notrunc").orFail();
        moments.add(Files.copy(disk, folder.resolve("moment" + moments.size())));
        afterimage.run("backup", "web", "--image", "vda=" + disk).orFail();
    }

    private static long stored(JsonNode points) {
        long sum = 0;
        for (JsonNode point : points) {
            sum += point.get("bytes").get("stored").asLong();
        }
        return sum;
    }

    private void assertEachMomentIn(Program there, String... options) {
        JsonNode points = there.run(with(options, "list", "web", "--json")).json();
        JsonNode here = afterimage.run("list", "web", "--json").json();
        assertEquals(moments.size(), points.size());
        for (int i = 0; i < moments.size(); i++) {
            assertEquals(here.get(i).get("point"), points.get(i).get("point"));
            assertEquals(here.get(i).get("time"), points.get(i).get("time"));
            Path restored = folder.resolve("restored");
            there.run(with(options, "restore", "web@" + points.get(i).get("point").asString(), "--force", "--to", restored.toString())).orFail();
            Tool.run("cmp", moments.get(i).toString(), restored.toString()).orFail();
        }
    }

    private static String[] with(String[] options, String... command) {
        List<String> all = new ArrayList<>(List.of(command));
        all.addAll(List.of(options));
        return all.toArray(String[]::new);
    }

    @Test
    void onlyWhatIsNewIsCopiedThoughKeyAndChunkSizeDiffer() throws IOException {
        Program there = afterimage.on(folder.resolve("there"));
        String key = folder.resolve("there.key").toString();
        there.run("init", "--encrypt", "--key-file", key, "--chunk-size", "16k").orFail();
        String[] copy = {"copy", "--to", there.repository().toString(), "--to-key-file", key, "--json"};

        // One point in the middle first: what is before it comes whole later, what is after it as an increment.
        String middle = afterimage.run("list", "--json").json().get(1).get("point").asString();
        assertEquals(1, afterimage.run(with(new String[] {"web@" + middle}, copy)).json().size());
        JsonNode rest = afterimage.run(with(new String[] {"--compression-level", "9"}, copy)).json();
        assertEquals(2, rest.size());
        assertTrue(stored(rest) < 2_000_000, "what the second site has is not stored again: " + rest);
        assertEachMomentIn(there, "--key-file", key);

        assertEquals(0, afterimage.run(copy).json().size());
        backUp(10, 2);
        JsonNode more = afterimage.run(copy).json();
        assertEquals(1, more.size());
        assertEquals("incremental", more.get(0).get("kind").asString());
        assertTrue(more.get(0).get("bytes").get("read").asLong() <= 3 * 65536, more.toString());
        assertEachMomentIn(there, "--key-file", key);
    }

    @Test
    void anObjectStoreIsASecondSiteAndAFirstOne() throws Exception {
        try (SwiftServer swift = SwiftServer.start()) {
            S3TestBucket bucket = new S3TestBucket(swift.endpoint(), SwiftServer.ACCESS_KEY, SwiftServer.SECRET_KEY, "site");
            bucket.create();
            Program program = afterimage.with("AWS_ACCESS_KEY_ID", SwiftServer.ACCESS_KEY).with("AWS_SECRET_ACCESS_KEY", SwiftServer.SECRET_KEY);
            String site = bucket.location("second").toString();
            program.run("init", "--repo", site).orFail();
            assertEquals(3, program.run("copy", "--to", site, "--json").json().size());
            assertEachMomentIn(program, "--repo", site);

            // The other way round, and with the store as the place of the backup itself.
            Tool.run("dd", "if=/dev/urandom", "of=" + disk, "bs=64k", "seek=20", "count=2", "conv=notrunc").orFail();
            JsonNode point = program.run("backup", "web", "--image", "vda=" + disk, "--repo", site, "--json").json();
            assertTrue(point.get("bytes").get("stored").asLong() < 3 * 65536, point.toString());
            Program home = program.on(folder.resolve("home"));
            home.run("init").orFail();
            assertEquals(4, home.run("copy", "--repo", site, "--to", home.repository().toString(), "--json").json().size());
            Path restored = folder.resolve("restored");
            home.run("restore", "web", "--force", "--to", restored.toString()).orFail();
            Tool.run("cmp", disk.toString(), restored.toString()).orFail();
        }
    }

    @Test
    void theSameRepositoryAndWholeDisksAreRefused() {
        assertFails(ExitCode.USAGE, "same repository", afterimage.run("copy", "--to", afterimage.repository().toString()));
        Program there = afterimage.on(folder.resolve("there"));
        there.run("init").orFail();
        assertFails(ExitCode.USAGE, "names a disk", afterimage.run("copy", "--to", there.repository().toString(), "web/vda@latest"));
        assertFails(
                ExitCode.USAGE, "not a compression level", afterimage.run("copy", "--to", there.repository().toString(), "--compression-level", "20"));
        assertFails(ExitCode.NOT_FOUND, "no machine 'other'", afterimage.run("copy", "--to", there.repository().toString(), "other"));
        assertFails(ExitCode.REPOSITORY, "nowhere", afterimage.run("copy", "--to", folder.resolve("nowhere").toString()));
    }

    private static void assertFails(ExitCode code, String words, Program.Result result) {
        assertEquals(code.number(), result.exit(), result.err());
        assertTrue(result.err().contains(words), result.err());
    }
}
