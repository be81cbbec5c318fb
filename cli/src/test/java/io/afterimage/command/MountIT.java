package io.afterimage.command;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.afterimage.lab.Deadline;
import io.afterimage.lab.Mounts;
import io.afterimage.lab.Tool;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** How a mount begins and ends, whoever ends it, and what is said when it cannot be. */
class MountIT {

    private static final int SIZE = 20_000_256;
    private static final int READERS = 4;

    @TempDir
    private static Path folder;

    private static Program afterimage;
    private static Path disk;

    private Path past;
    private Mounts mounts;

    @BeforeAll
    static void backUp() throws IOException {
        afterimage = new Program(folder);
        afterimage.run("init").orFail();
        byte[] bytes = new byte[SIZE];
        new Random(1).nextBytes(bytes);
        disk = afterimage.image("disk.raw", SIZE, bytes);
        afterimage.run("backup", "web", "--image", "vda=" + disk).orFail();
    }

    @BeforeEach
    void makeFolder() throws IOException {
        mounts = new Mounts(folder);
        past = Files.createDirectory(Files.createTempDirectory(folder.toRealPath(), "test").resolve("the past"));
    }

    @AfterEach
    void unmount() {
        mounts.close();
    }

    private Path raw() {
        return past.resolve("web/latest/vda.raw");
    }

    private RandomReaders readers() throws InterruptedException {
        RandomReaders readers = new RandomReaders(READERS, raw(), disk, SIZE, true);
        readers.awaitBegin();
        return readers;
    }

    @Test
    void unmountingEndsTheProgram() throws Exception {
        MountedProgram mounted = MountedProgram.mount(afterimage, past);
        Tool.run("cmp", disk.toString(), raw().toString()).orFail();
        Tool.run("fusermount", "-u", past.toString()).orFail();
        assertEquals(0, mounted.awaitEnd(), mounted::log);
        assertEquals("Mounted at " + past + ".\n", mounted.log());
    }

    @ParameterizedTest
    @ValueSource(strings = {"TERM", "INT"})
    void aSignalUnmounts(String signal) throws Exception {
        MountedProgram mounted = MountedProgram.mount(afterimage, past);
        Tool.run("cmp", disk.toString(), raw().toString()).orFail();
        mounted.signal(signal);
        assertEquals(signal.equals("TERM") ? 143 : 130, mounted.awaitEnd(), mounted::log);
        assertFalse(mounted.isMounted());
        assertEquals("Mounted at " + past + ".\n", mounted.log());
    }

    @Test
    void readersOutliveAForcedUnmount() throws Exception {
        MountedProgram mounted = MountedProgram.mount(afterimage, past);
        try (RandomReaders readers = readers()) {
            Tool.run("fusermount", "-u", "-z", past.toString()).orFail();
            assertFalse(mounted.isMounted());
            long before = readers.reads();
            Deadline.in(Duration.ofMinutes(1)).await(() -> readers.reads() > before + READERS, mounted::log);
            readers.stop();
            assertEquals(Collections.nCopies(READERS, null), readers.results());
        }
        assertEquals(0, mounted.awaitEnd(), mounted::log);
    }

    @Test
    void readersOfAProgramThatEndsFailAndDoNotHang() throws Exception {
        MountedProgram mounted = MountedProgram.mount(afterimage, past);
        try (RandomReaders readers = readers()) {
            mounted.terminate();
            assertEquals(143, mounted.awaitEnd(), mounted::log);
            assertFalse(mounted.isMounted());
            readers.results().forEach(end -> assertNotNull(end, "it read on from nobody"));
        }
    }

    @Test
    void whatAKilledProgramLeavesIsTakenAwayByTheNext() throws Exception {
        MountedProgram killed = MountedProgram.mount(afterimage, past);
        try (RandomReaders readers = readers()) {
            killed.kill();
            killed.awaitEnd();
            readers.results().forEach(end -> assertNotNull(end, "it read on from nobody"));
        }
        assertTrue(killed.isMounted());
        MountedProgram next = MountedProgram.mount(afterimage, past);
        assertTrue(next.log().contains("process was killed"), next::log);
        Tool.run("cmp", disk.toString(), raw().toString()).orFail();
        next.terminate();
        next.awaitEnd();
        assertFalse(next.isMounted());
    }

    @Test
    void inTheBackgroundItReturnsWhenThePointsAreThere() throws IOException {
        Program.Result result = afterimage.run("mount", "--background", past.toString()).orFail();
        assertEquals("Mounted at " + past + ".\n", result.out());
        Tool.run("cmp", disk.toString(), raw().toString()).orFail();
        Program.Result second = afterimage.run("mount", "--background", past.toString());
        assertEquals(ExitCode.TARGET.number(), second.exit());
        assertTrue(second.err().contains("already"), second.err());
        Tool.run("fusermount", "-u", past.toString()).orFail();
    }

    @Test
    void aServerMountsAsWell() throws Exception {
        Path socket = Files.createTempDirectory("a").resolve("s");
        MountedProgram serving =
                MountedProgram.start(afterimage, past, List.of("serve", "--nbd", "unix:" + socket, "--mount", past.toString()));
        Tool.run("cmp", disk.toString(), raw().toString()).orFail();
        Tool.run("nbdinfo", "--size", "nbd+unix:///web/vda@latest?socket=" + socket).orFail();
        serving.terminate();
        serving.awaitEnd();
        assertFalse(serving.isMounted());
        Files.delete(socket.getParent());
    }

    @Test
    void newPointsAppearInWhatIsMounted() throws Exception {
        MountedProgram mounted = MountedProgram.mount(afterimage, past);
        Path first = past.resolve("web/latest").toRealPath();
        afterimage.run("backup", "web", "--image", "vda=" + disk).orFail();
        Deadline.in(Duration.ofMinutes(1)).await(() -> !first.equals(realPath(past.resolve("web/latest"))), mounted::log);
        afterimage.run("forget", "web", "--keep-last", "1").orFail();
        Deadline.in(Duration.ofMinutes(1)).await(() -> !Files.exists(first), mounted::log);
    }

    private static Path realPath(Path path) {
        try {
            return path.toRealPath();
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    @Test
    void whatCannotBeAMountPointIsNamed() throws IOException {
        Path full = Files.createDirectory(past.resolve("full"));
        Files.createFile(full.resolve("file"));
        assertRefused("is not empty", full);
        assertRefused("is no folder", full.resolve("file"));
        assertRefused("make it first", past.resolve("nowhere"));
        assertRefused("make it first", past.resolve("nowhere/at all"));
    }

    private void assertRefused(String reason, Path at) {
        Program.Result result = afterimage.run("mount", at.toString());
        assertEquals(ExitCode.TARGET.number(), result.exit(), result.err());
        assertTrue(result.err().contains(reason) && result.err().lines().count() == 1, result.err());
    }
}
