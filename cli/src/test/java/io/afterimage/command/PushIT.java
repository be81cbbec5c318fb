package io.afterimage.command;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.afterimage.catalog.Point;
import io.afterimage.lab.Deadline;
import io.afterimage.lab.Guest;
import io.afterimage.lab.GuestDisk;
import io.afterimage.lab.Lab;
import io.afterimage.lab.Mounts;
import io.afterimage.lab.Tool;
import io.afterimage.lab.Tripwire;
import io.afterimage.lab.Tripwire.Call;
import io.afterimage.lab.Tripwire.Side;
import io.afterimage.manifest.DiskMap;
import io.afterimage.manifest.DiskName;
import io.afterimage.manifest.MachineName;
import io.afterimage.posix.Processors;
import io.afterimage.repository.Repository;
import io.afterimage.store.file.FileObjectStore;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** A disk that QEMU sends, beside one that is read: a qcow2 and a raw one of a running machine, neither of a size that chunks divide. */
class PushIT {

    private static final long SIZE = 20_000_256;
    private static final Duration PATIENCE = Duration.ofMinutes(2);
    private static final JsonMapper JSON = new JsonMapper();

    @TempDir
    Path folder;

    private Program pulling;
    private Program pushing;
    private Guest guest;

    @BeforeEach
    void boot() throws IOException {
        pulling = new Program(folder).on(folder.resolve("pulled"));
        pushing = new Program(folder).on(folder.resolve("pushed"));
        pulling.run("init").orFail();
        pushing.run("init").orFail();
        Tool.run("truncate", "-s", Long.toString(SIZE), folder.resolve("logs.raw").toString()).orFail();
        guest = Guest.tiny(folder.resolve("g"))
                .disk(GuestDisk.empty("data", folder.resolve("data.qcow2"), SIZE))
                .disk(GuestDisk.raw("logs", folder.resolve("logs.raw")))
                .program(Lab.newerQemu())
                .start()
                .awaitReady();
    }

    @AfterEach
    void end() throws IOException {
        guest.close();
    }

    @Test
    void pulledAndPushedPointsOfOneStateHaveEqualMaps() throws IOException {
        guest.run("dd if=/dev/urandom of=/dev/vdb bs=64k count=100 && dd if=/srv/data/modules.dep of=/dev/vdc bs=4k seek=77");
        assertEqualPoints("whole");
        guest.run("dd if=/dev/urandom of=/dev/vdb bs=512 count=3 seek=4001 conv=notrunc && dd if=/dev/zero of=/dev/vdb bs=64k count=9 seek=20"
                + " && blkdiscard -o 3276800 -l 655360 /dev/vdb && dd if=/dev/urandom of=/dev/vdc bs=512 count=1 seek=39062");
        assertEqualPoints("bitmap");
        assertEqualPoints("bitmap");
    }

    /** Everything as it was: the guest, QEMU, and what the next increment knows. */
    @Test
    void aPushThatIsKilledLosesNothing() throws IOException {
        guest.pause();
        backUp(pushing, "push");
        guest.resume();
        guest.run("dd if=/dev/urandom of=/dev/vdb bs=64k count=40");
        Tripwire tripwire = Tripwire.at(Side.BEFORE, Call.RENAME, 1, "/pushed/packs/");
        Process backup = pushing.start(tripwire.environment(), folder.resolve("killed.log"), arguments("push"));
        tripwire.awaitStop(backup);
        guest.run("dd if=/dev/urandom of=/dev/vdb bs=64k count=20 seek=30 conv=fsync"); // over what has not been sent yet, perhaps
        backup.destroyForcibly();
        guest.run("dd if=/dev/urandom of=/dev/vdc bs=64k count=20 conv=fsync");
        assertEquals("running", guest.status());
        guest.pause();
        JsonNode next = backUp(pushing, "push");
        assertEquals("bitmap", change(next, "data"));
        assertTrue(dirty(next, "data") >= 50 * 65536L, next.toString());
        assertImage(pushing, next, "data", folder.resolve("data.qcow2"), "qcow2");
        assertImage(pushing, next, "logs", folder.resolve("logs.raw"), "raw");
        guest.resume();
        String nodes = guest.qmp().execute("query-named-block-nodes", "{\"flat\":true}").toString();
        assertTrue(!nodes.contains("\"afterimage-" + next.path("point").asString().substring(0, 12)), nodes);
        assertEquals("[]", guest.qmp().execute("query-jobs").toString());
    }

    /** What a guest zeroes by command, discards and overwrites while its disks are on their way. */
    @ParameterizedTest
    @ValueSource(strings = {"pull", "push"})
    void whatTheGuestDoesMeanwhileIsNotInThePoint(String mode) throws IOException {
        guest.run("dd if=/dev/urandom of=/dev/vdb bs=64k count=64 conv=fsync");
        Path limits = Files.writeString(folder.resolve("limits"), "rate 1\nrequests 1\n");
        List<String> words = new ArrayList<>(List.of(arguments(mode)));
        words.addAll(List.of("--disk", "data", "--limits-file", limits.toString()));
        guest.pause();
        Path reference = folder.resolve("reference.qcow2");
        Tool.run("cp", folder.resolve("data.qcow2").toString(), reference.toString()).orFail();
        Process backup = pushing.start(folder.resolve("slow.log"), words.toArray(String[]::new));
        Deadline.in(PATIENCE).await(() -> isUnderWay() || !backup.isAlive(), () -> "no cut");
        boolean confines = Processors.allowed() == Processors.online();
        assertEquals(
                confines ? Set.of(Math.max(1, Processors.online() / 2)) : processors(Stream.of(ProcessHandle.current())), processors(family(backup)));
        guest.resume();
        for (String command : List.of("write -z 128k 128k", "discard 384k 64k", "write -P 7 512k 64k", "write -z -u 1M 256k")) {
            guest.qmp().monitor("qemu-io -d /machine/peripheral/dev-data/virtio-backend \"" + command + "\"");
        }
        Files.writeString(limits, "rate 1T\n");
        Deadline.in(PATIENCE).await(() -> !backup.isAlive(), () -> "the backup is as slow as before");
        assertEquals(0, backup.exitValue(), () -> text(folder.resolve("slow.log")));
        Path restored = folder.resolve("restored.raw");
        pushing.run("restore", "web/data@latest", "--to", restored.toString()).orFail();
        Tool.run("qemu-img", "compare", "-f", "raw", "-F", "qcow2", restored.toString(), reference.toString()).orFail();
    }

    /** A byte a second would take for ever; what the file says later is what holds. */
    @ParameterizedTest
    @ValueSource(strings = {"pull", "push"})
    void limitsAreChangedWhileABackupRuns(String mode) throws IOException {
        Path limits = Files.writeString(folder.resolve("limits"), "# by day\nrate 1\nrequests 1\n");
        List<String> words = new ArrayList<>(List.of(arguments(mode)));
        boolean onOne = mode.equals("pull");
        words.addAll(List.of("--limits-file", limits.toString(), "--processors", onOne ? "1" : "0"));
        Process backup = pushing.start(folder.resolve("slow.log"), words.toArray(String[]::new));
        Deadline.in(PATIENCE).await(() -> isUnderWay() || !backup.isAlive(), () -> "no cut");
        assertTrue(backup.isAlive(), () -> text(folder.resolve("slow.log")));
        assertTrue(backup.info().commandLine().orElseThrow().contains(" -Dafterimage.processors="), "the JVM itself began on one");
        assertEquals(onOne ? Set.of(1) : processors(Stream.of(ProcessHandle.current())), processors(family(backup)));
        if (mode.equals("push")) {
            assertToldToSendSmallPieces(backup);
        }
        Files.writeString(limits, "no limit at all");
        Files.writeString(limits, "rate 1T\n");
        Deadline.in(PATIENCE).await(() -> !backup.isAlive(), () -> "the backup is as slow as before");
        assertEquals(0, backup.exitValue(), () -> text(folder.resolve("slow.log")));
    }

    /** What the guest does is seen, and the backup goes as slowly as it may; when the guest is done the backup is, too. */
    @ParameterizedTest
    @ValueSource(strings = {"pull", "push"})
    void aBackupYieldsToItsGuest(String mode) throws IOException {
        // As slow as that until it has been seen, or it might be over before.
        Path limits = Files.writeString(folder.resolve("limits"), "rate 1\n");
        List<String> words = new ArrayList<>(List.of(arguments(mode)));
        words.addAll(List.of("--limits-file", limits.toString(), "--yield", "1.5", "--least-rate", "2"));
        guest.run("while ! [ -e /run/enough ]; do dd if=/dev/urandom of=/dev/vdb bs=4k count=1 conv=fsync; done > /run/writer 2>&1 &");
        Path log = folder.resolve("yielding.log");
        Process backup = pushing.start(Map.of("AFTERIMAGE_LOG", "DEBUG"), log, words.toArray(String[]::new));
        Deadline.in(PATIENCE).await(() -> text(log).contains("the backup may move 2 bytes/s") || !backup.isAlive(), () -> "the guest is not yielded to: " + text(log));
        Files.writeString(limits, "rate 1T\n");
        guest.run("touch /run/enough");
        Deadline.in(PATIENCE).await(() -> !backup.isAlive(), () -> "the backup is as slow as before: " + text(log));
        assertEquals(0, backup.exitValue(), () -> text(log));
        assertTrue(text(log).contains("the backup may move 2 bytes/s"), () -> text(log));
        assertFalse(text(log).contains("QEMU has as many pieces under way as it likes"), () -> text(log));
        assertEquals("running", guest.status());
    }

    /** While nobody is there who could give the backup up in time. */
    @Test
    void aScratchThatRunsFullEndsThePushAndNotTheGuest() throws IOException {
        assumeTrue(System.getProperty("user.name").equals("root"), "SKIPPED: only root can mount the small file system for scratch");
        guest.run("dd if=/dev/urandom of=/dev/vdb bs=64k count=200 conv=fsync");
        try (Mounts mounts = new Mounts(Files.createDirectory(folder.resolve("m")))) {
            Path scratch = mounts.memory("scratch", "300M");
            Path limits = Files.writeString(folder.resolve("limits"), "rate 1\n");
            List<String> words = new ArrayList<>(List.of(arguments("push")));
            words.addAll(List.of("--limits-file", limits.toString(), "--scratch", scratch.toString()));
            Path log = folder.resolve("full.log");
            Process backup = pushing.start(log, words.toArray(String[]::new));
            Deadline.in(PATIENCE).await(() -> isUnderWay() || !backup.isAlive(), () -> "no cut");
            Tool.run("kill", "-STOP", Long.toString(backup.pid())).orFail();
            Mounts.resize(scratch, "2M");
            guest.run("dd if=/dev/zero of=/dev/vdb bs=64k count=200 conv=fsync");
            assertEquals("running", guest.status());
            Files.writeString(limits, "rate 1T\n");
            Tripwire.goOn(backup);
            Deadline.in(PATIENCE).await(() -> !backup.isAlive(), () -> "the backup goes on: " + text(log));
            assertEquals(ExitCode.SOURCE.number(), backup.exitValue(), () -> text(log));
            assertTrue(text(log).contains("scratch"), () -> text(log));
            Deadline.in(PATIENCE).await(() -> guest.qmp().execute("query-jobs").isEmpty(), () -> "a job is left");
        }
        guest.pause();
        JsonNode next = backUp(pushing, "push");
        assertImage(pushing, next, "data", folder.resolve("data.qcow2"), "qcow2");
        guest.resume();
    }

    @ParameterizedTest
    @ValueSource(strings = {"pull", "push"})
    void aBitmapThatLiesIsFoundOut(String mode) throws IOException {
        guest.run("dd if=/dev/urandom of=/dev/vdb bs=64k count=100 conv=fsync");
        String point = backUp(pulling, "pull").path("point").asString();
        guest.run("dd if=/dev/urandom of=/dev/vdb bs=64k count=3 seek=50 conv=fsync");
        guest.pause();
        String bitmap = guest.qmp().execute("query-named-block-nodes", "{\"flat\":true}").valueStream()
                .filter(node -> node.path("node-name").asString().equals("data"))
                .flatMap(node -> node.path("dirty-bitmaps").valueStream())
                .map(found -> found.path("name").asString())
                .filter(name -> name.contains(point))
                .findFirst()
                .orElseThrow();
        guest.qmp().execute("block-dirty-bitmap-clear", "{\"node\":\"data\",\"name\":\"" + bitmap + "\"}");
        Program.Result checked = pulling.run("backup", "web", "--json", "--qmp", guest.qmpSocket().toString(), "--mode", mode, "--check-unchanged", "100%");
        JsonNode doubted = checked.json();
        assertEquals("whole", change(doubted, "data"));
        assertEquals("bitmap", change(doubted, "logs"));
        String reason = disk(doubted, "data").path("reason").asString();
        assertTrue(reason.contains("it differs at byte 3276800"), reason);
        assertTrue(checked.err().contains("Disk data is read whole"), checked.err());
        assertImage(pulling, doubted, "data", folder.resolve("data.qcow2"), "qcow2");
        guest.resume();
    }

    /** By one chunk that is read, for which QEMU's only NBD server is needed: who has asked for no doubt does without where that is another's. */
    @Test
    void aDiskThatWasMadeSmallerAndGrewBackIsFoundOut() throws IOException {
        guest.run("dd if=/dev/urandom of=/dev/vdb bs=64k count=100 conv=fsync");
        guest.pause();
        backUp(pushing, "push");
        for (long size : new long[] {1 << 20, SIZE}) {
            guest.qmp().execute("block_resize", "{\"node-name\":\"data\",\"size\":" + size + "}");
        }
        JsonNode regrown = backUp(pushing, "push");
        assertEquals("whole", change(regrown, "data"));
        assertTrue(disk(regrown, "data").path("reason").asString().contains("it differs at byte "), regrown.toString());
        assertEquals("bitmap", change(regrown, "logs"));
        assertImage(pushing, regrown, "data", folder.resolve("data.qcow2"), "qcow2");

        guest.qmp().execute("nbd-server-start", "{\"addr\":{\"type\":\"unix\",\"data\":{\"path\":\"" + folder.resolve("other.sock") + "\"}}}");
        List<String> words = new ArrayList<>(List.of(arguments("push")));
        words.addAll(List.of("--check-unchanged", "1%"));
        Program.Result refused = pushing.run(words.toArray(String[]::new));
        assertEquals(ExitCode.SOURCE.number(), refused.exit(), refused.err());
        assertTrue(refused.err().contains("NBD server, of which it has only one, is in use"), refused.err());
        assertEquals("bitmap", change(backUp(pushing, "push"), "data"));
        guest.qmp().execute("nbd-server-stop", "{}");
        guest.resume();
    }

    /** It, and the watchdog. */
    private static Stream<ProcessHandle> family(Process backup) {
        return Stream.concat(Stream.of(backup.toHandle()), backup.descendants());
    }

    /** On how many processors each of their threads may run: the different numbers. */
    private static Set<Integer> processors(Stream<ProcessHandle> processes) {
        Set<Integer> numbers = new TreeSet<>();
        processes.forEach(process -> {
            for (String thread : Objects.requireNonNullElse(Path.of("/proc", Long.toString(process.pid()), "task").toFile().list(), new String[0])) {
                try (Stream<String> status = Files.lines(Path.of("/proc", Long.toString(process.pid()), "task", thread, "status"))) {
                    status.filter(line -> line.startsWith("Cpus_allowed_list:"))
                            .forEach(line -> numbers.add(size(line.substring(line.indexOf(':') + 1).strip())));
                } catch (IOException | UncheckedIOException e) {
                    // It has just ended.
                }
            }
        });
        return numbers;
    }

    /** How many a list such as {@code 0-3,8} has. */
    private static int size(String list) {
        return Stream.of(list.split(",", -1)).map(part -> part.split("-", 2))
                .mapToInt(ends -> Integer.parseInt(ends[ends.length - 1]) - Integer.parseInt(ends[0]) + 1).sum();
    }

    /** What is larger the server refuses, and the backup would fail. */
    private void assertToldToSendSmallPieces(Process backup) throws IOException {
        Deadline.in(PATIENCE).await(() -> target().isPresent() || !backup.isAlive(), () -> "QEMU has not opened what it is to send into");
        JsonNode export = JSON.readTree(Tool.run("nbdinfo", "--json", "--no-content", target().orElseThrow()).orFail().text()).path("exports").path(0);
        assertEquals(64 << 10, export.path("block_size_maximum").asInt(), export.toString());
    }

    /** The URI of the export that QEMU sends a disk into. */
    private Optional<String> target() {
        return guest.qmp().execute("query-named-block-nodes", "{\"flat\":true}").valueStream()
                .filter(node -> node.path("drv").asString().equals("nbd"))
                .map(node -> node.path("file").asString())
                .findFirst();
    }

    private boolean isUnderWay() {
        return guest.qmp().execute("query-jobs").valueStream().anyMatch(job -> job.path("id").asString().matches("afterimage-.*-job0"));
    }

    private static String text(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private void assertEqualPoints(String change) throws IOException {
        guest.pause();
        JsonNode pulled = backUp(pulling, "pull");
        JsonNode pushed = backUp(pushing, "push");
        assertEquals(change, change(pushed, "data"));
        assertEquals(change, change(pushed, "logs"));
        for (String disk : List.of("root", "data", "logs")) {
            assertEquals(dirty(pulled, disk), dirty(pushed, disk), disk);
            assertEquals(shape(pulling, pulled, disk), shape(pushing, pushed, disk), disk);
        }
        assertImage(pushing, pushed, "data", folder.resolve("data.qcow2"), "qcow2");
        assertImage(pushing, pushed, "logs", folder.resolve("logs.raw"), "raw");
        guest.resume();
    }

    private String[] arguments(String mode) {
        return new String[] {"backup", "web", "--json", "--qmp", guest.qmpSocket().toString(), "--mode", mode};
    }

    private JsonNode backUp(Program program, String mode) {
        return program.run(arguments(mode)).json();
    }

    private static JsonNode disk(JsonNode point, String name) {
        return point.path("disks").valueStream().filter(disk -> disk.path("name").asString().equals(name)).findFirst().orElseThrow();
    }

    private static String change(JsonNode point, String disk) {
        return disk(point, disk).path("change").asString();
    }

    private static long dirty(JsonNode point, String disk) {
        return disk(point, disk).path("bytes").path("dirty").asLong();
    }

    /** Which chunks there are and which have changed; where they lie is chance. */
    private static String shape(Program program, JsonNode view, String name) throws IOException {
        try (Repository repository = Repository.open(FileObjectStore.open(program.repository()))) {
            Point point = repository.catalog().points(new MachineName("web")).stream()
                    .filter(candidate -> candidate.id().hex().equals(view.path("point").asString())).findFirst().orElseThrow();
            DiskMap disk = repository.manifest(point).disk(new DiskName(name)).orElseThrow();
            StringBuilder shape = new StringBuilder();
            for (long chunk = 0; chunk < disk.map().chunks(); chunk++) {
                shape.append(disk.map().address(chunk) == null ? '-' : '#');
            }
            return shape + " " + disk.changed();
        }
    }

    private void assertImage(Program program, JsonNode point, String disk, Path image, String format) {
        Path restored = folder.resolve("restored.raw");
        program.run("restore", "web/" + disk + "@" + point.path("point").asString(), "--to", restored.toString(), "--force").orFail();
        Tool.run("qemu-img", "compare", "-U", "-f", format, "-F", "raw", image.toString(), restored.toString()).orFail();
    }
}
