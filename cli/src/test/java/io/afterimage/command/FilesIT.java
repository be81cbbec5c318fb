package io.afterimage.command;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.afterimage.lab.Deadline;
import io.afterimage.lab.Lab;
import io.afterimage.lab.Tool;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;

/** {@code files}, {@code diff --files} and the recipe for scanners, as a user runs them. */
class FilesIT {

    @TempDir
    static Path folder;

    private static Program afterimage;

    @BeforeAll
    static void backUp() throws IOException {
        Path known = Lab.fileSystems();
        afterimage = new Program(folder).thatMayBeKilled();
        afterimage.run("init").orFail();
        afterimage.run("backup", "web", "--image", "vda=" + known.resolve("vda.raw")).orFail();
        afterimage.run("backup", "web", "--image", "vda=" + known.resolve("vda-later.raw")).orFail();
    }

    @Test
    void filesThatDifferBetweenTwoPoints() {
        JsonNode points = afterimage.run("list", "web", "--json").json();
        String first = points.get(0).get("point").asString();
        String second = points.get(1).get("point").asString();
        boolean oldestFirst = first.compareTo(second) < 0;
        JsonNode volumes = afterimage
                .run("diff", "web@" + (oldestFirst ? first : second), "web@" + (oldestFirst ? second : first), "--files", "--json")
                .json();
        List<String> changes = new ArrayList<>();
        for (JsonNode volume : volumes) {
            volume.get("files").forEach(file ->
                    changes.add(volume.get("volume").asString() + file.get("path").asString() + " " + file.get("change").asString()));
            assertEquals(0, volume.get("problems").size(), volume.toString());
        }
        assertEquals(
                List.of(
                        "vda.p1/added added",
                        "vda.p1/empty removed",
                        "vda.p1/folder/random.bin content",
                        "vda.p1/many/7 metadata",
                        "vda.p1/special/large metadata",
                        "vda.p1/text.txt content"),
                changes);
        assertNothingIsLeft();
    }

    @Test
    void twoEqualPointsNeedNoAppliance() {
        var result = afterimage.with("LIBGUESTFS_PATH", "/nowhere").run("diff", "web", "web", "--files").orFail();
        assertEquals("No file differs.", result.out().strip());
    }

    @Test
    void namesAreListedSafely() {
        var listed = afterimage.run("files", "web:p1/names").orFail().out();
        assertTrue(listed.contains("new\\nline") && listed.contains("latin-\\xe9") && listed.contains("escape-\\x1b[31m"), listed);
        assertFalse(listed.contains("\033"), "a guest's file name reached the terminal as a command");
    }

    @Test
    void theRecipeFindsWhatAScannerKnows() throws IOException {
        // clamscan's own format: name, any kind of file, any offset, the bytes in hex.
        Path signatures = Files.writeString(folder.resolve("own.ndb"), "Test.Signature:0:*:" + hex("X-AFTERIMAGE-TEST-SIGNATURE-X") + "\n");
        Path recipe = recipe();
        var found = scan(recipe, "clamscan --recursive --infected --no-summary --database=" + signatures);
        assertEquals(1, found.exit(), found.text());
        assertTrue(found.text().contains("special/attachment"), found.text());
        assertTrue(found.text().contains("web: FOUND"), found.text());
    }

    private static Path recipe() {
        for (Path at = Path.of("").toAbsolutePath(); at != null; at = at.getParent()) {
            if (Files.exists(at.resolve("docs/recipes/scan-latest.sh"))) {
                return at.resolve("docs/recipes/scan-latest.sh");
            }
        }
        throw new IllegalStateException("docs/recipes is not there: run the tests from a checkout of the project");
    }

    private static Tool.Result scan(Path recipe, String scanner) {
        return Tool.run(Duration.ofMinutes(5), "env",
                "AFTERIMAGE=" + launcher(), "AFTERIMAGE_REPO=" + afterimage.repository(), "AFTERIMAGE_CACHE=" + folder.resolve("cache"),
                "SCANNER=" + scanner, "VOLUMES=vda.p1", recipe.toString(), "web");
    }

    private static String hex(String text) {
        return HexFormat.of().formatHex(text.getBytes(StandardCharsets.US_ASCII));
    }

    private static Path launcher() {
        return Path.of("target/afterimage/bin/afterimage").toAbsolutePath();
    }

    @Test
    void anApplianceThatDoesNotAnswerIsEnded() {
        var result = afterimage.run("files", "web", "--timeout", "1s");
        assertEquals(ExitCode.SOURCE.number(), result.exit(), result.err());
        assertTrue(result.err().contains("did not answer within 1 s"), result.err());
        assertNothingIsLeft();
    }

    @Test
    void whoIsToldToEndLeavesNothing() throws Exception {
        Process process = afterimage.start(folder.resolve("ended.log"), "files", "web:p1", "--extract", folder.resolve("ended").toString());
        Deadline.in(Duration.ofMinutes(3)).await(
                () -> process.descendants().anyMatch(FilesIT::isQemu), () -> "no appliance runs");
        List<ProcessHandle> offspring = process.descendants().toList();
        process.destroy();
        assertTrue(process.waitFor(2, TimeUnit.MINUTES), "it does not end");
        Deadline.in(Duration.ofMinutes(1)).await(
                () -> offspring.stream().noneMatch(ProcessHandle::isAlive), () -> "a process is left");
        assertNothingIsLeft();
    }

    private static boolean isQemu(ProcessHandle process) {
        return process.info().command().filter(command -> command.contains("qemu-system")).isPresent();
    }

    @Test
    void withoutLibguestfsTheCommandSaysWhatToInstall() {
        // For this process alone, another file stands where the library is.
        var result = Tool.run("unshare", "--mount", "sh", "-c",
                "for library in /usr/lib/*/libguestfs.so.0; do mount --bind /dev/null $library; done; exec \"$@\"", "sh",
                "env", "AFTERIMAGE_REPO=" + afterimage.repository(), "AFTERIMAGE_CACHE=" + folder.resolve("cache"),
                launcher().toString(), "files", "web");
        assertEquals(ExitCode.TARGET.number(), result.exit(), result.text());
        assertTrue(result.text().contains("install the packages libguestfs0"), result.text());
    }

    private static void assertNothingIsLeft() {
        try (Stream<Path> left = Files.list(afterimage.temporaryFiles())) {
            assertEquals(List.of(), left.filter(path -> path.getFileName().toString().startsWith("afterimage-files")).toList());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
