package io.afterimage.command;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.afterimage.lab.Tool;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** A pack of a folder repository is damaged by hand: the program says so, and heals it from a disk that is intact. */
class DamageIT {

    private static final long SIZE = 4 << 20;
    private static final int CHUNK = 64 * 1024;

    @TempDir
    private Path folder;

    private Program afterimage;
    private Path raw;
    private String oldPoint;

    @BeforeEach
    void makeTwoPoints() {
        afterimage = new Program(folder);
        afterimage.run("init").orFail();
        raw = afterimage.image("disk.raw", SIZE, new byte[0]);
        Tool.run("dd", "if=/dev/urandom", "of=" + raw, "bs=64k", "count=32", "conv=notrunc").orFail();
        oldPoint = backUp().path("point").asString();
        Tool.run("cp", raw.toString(), folder.resolve("old.raw").toString()).orFail();
        Tool.run("dd", "if=/dev/urandom", "of=" + raw, "bs=64k", "seek=40", "count=2", "conv=notrunc").orFail();
        backUp();
    }

    private JsonNode backUp() {
        return afterimage.run("backup", "web", "--image", "vda=raw:" + raw, "--json").json();
    }

    @Test
    void aFlippedBitIsFoundAndHealed() throws IOException {
        Path pack = largestPack();
        // The first frame is in unit 1; a raw frame takes 257 units.
        flip(pack, 256 + 10 * 257 * 256 + 500);
        Program.Result verify = afterimage.run("verify", "--json");
        assertEquals(ExitCode.CORRUPT.number(), verify.exit(), verify.out() + verify.err());
        JsonNode damaged = new JsonMapper().readTree(verify.out()).path("damaged");
        assertEquals(1, damaged.size(), verify.out());
        assertTrue(pack.endsWith(damaged.path(0).path("object").asString()), verify.out());
        assertEquals(2, damaged.path(0).path("touched").size(), verify.out());
        for (JsonNode touched : damaged.path(0).path("touched")) {
            assertEquals("web", touched.path("machine").asString());
            assertEquals("vda", touched.path("disk").asString());
            assertEquals(10L * CHUNK, touched.path("ranges").path(0).path("offset").asLong());
            assertEquals(CHUNK, touched.path("ranges").path(0).path("length").asLong());
        }
        assertTrue(afterimage.run("verify").out().contains("bytes 655360-720895"));
        assertEquals(ExitCode.CORRUPT.number(), restoreOld("broken.raw").exit());
        backUp();
        assertOldIsExact();
        assertClean();
    }

    @Test
    void aLostPackIsFoundAndHealed() throws IOException {
        Files.delete(largestPack());
        Program.Result verify = afterimage.run("verify", "--structure");
        assertEquals(ExitCode.CORRUPT.number(), verify.exit(), verify.out() + verify.err());
        assertTrue(verify.out().contains("it is not there"), verify.out());
        backUp();
        assertOldIsExact();
        assertClean();
    }

    @Test
    void aCutPackIsFoundAndHealed() throws IOException {
        Path pack = largestPack();
        try (FileChannel file = FileChannel.open(pack, StandardOpenOption.WRITE)) {
            file.truncate(file.size() / 2);
        }
        assertEquals(ExitCode.CORRUPT.number(), afterimage.run("verify", "--sample", "1%").exit());
        backUp();
        assertOldIsExact();
        assertClean();
    }

    @Test
    void whatIsWholeIsSaidToBeAndBadSharesAreRefused() {
        assertClean();
        Program.Result one = afterimage.run("verify", "web/vda@" + oldPoint, "--json");
        assertEquals(1, one.json().path("points").asInt());
        assertEquals(32, one.json().path("chunks").asInt());
        Program.Result refused = afterimage.run("verify", "--sample", "0%");
        assertEquals(ExitCode.USAGE.number(), refused.exit());
        assertTrue(refused.err().contains("'0%' is not a share"), refused.err());
        assertEquals(ExitCode.NOT_FOUND.number(), afterimage.run("verify", "db").exit());
    }

    private void assertClean() {
        for (List<String> arguments : List.of(List.of("verify"), List.of("verify", "--structure"))) {
            Program.Result verify = afterimage.run(arguments.toArray(String[]::new)).orFail();
            assertTrue(verify.out().contains("Nothing is damaged."), verify.out());
        }
        Path damaged = afterimage.repository().resolve("damaged");
        assertEquals(List.of(), Files.isDirectory(damaged) ? files(damaged) : List.of());
    }

    private Program.Result restoreOld(String name) {
        return afterimage.run("restore", "web/vda@" + oldPoint, "--to", folder.resolve(name).toString());
    }

    private void assertOldIsExact() {
        restoreOld("restored.raw").orFail();
        Tool.run("cmp", folder.resolve("old.raw").toString(), folder.resolve("restored.raw").toString()).orFail();
    }

    private Path largestPack() {
        return files(afterimage.repository().resolve("packs")).stream()
                .max((a, b) -> Long.compare(a.toFile().length(), b.toFile().length()))
                .orElseThrow();
    }

    private static List<Path> files(Path below) {
        try (Stream<Path> files = Files.walk(below)) {
            return files.filter(Files::isRegularFile).toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static void flip(Path file, long at) throws IOException {
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
            ByteBuffer one = ByteBuffer.allocate(1);
            channel.read(one, at);
            one.put(0, (byte) (one.get(0) ^ 4)).flip();
            channel.write(one, at);
        }
    }
}
