package io.afterimage.store.file;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.afterimage.store.KeyPrefix;
import io.afterimage.store.Listing;
import io.afterimage.store.ObjectInfo;
import io.afterimage.store.ObjectKey;
import io.afterimage.store.Problem;
import io.afterimage.store.StoreException;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;

/** A folder on file systems that are full, read-only or gone, and under writers that are killed. */
final class FileObjectStoreIT {

    @TempDir
    private Path folder;

    private boolean mounted;

    @AfterEach
    void unmount() throws IOException, InterruptedException {
        if (mounted) {
            run("umount", "--lazy", folder.toString());
        }
    }

    @Test
    void aFullFileSystemIsSaidToBeFullAndHarmsNothing() throws Exception {
        mount("size=4m");
        try (FileObjectStore store = FileObjectStore.open(folder)) {
            store.put(new ObjectKey("packs/00/a"), ByteBuffer.allocate(1 << 20));
            assertProblem(Problem.OUT_OF_SPACE, () -> store.put(new ObjectKey("packs/00/b"), ByteBuffer.allocate(8 << 20)));
            assertProblem(Problem.OUT_OF_SPACE, () -> store.put(new ObjectKey("packs/00/a"), ByteBuffer.allocate(8 << 20)));
            assertEquals(List.of("packs/00/a"), keys(store));
            assertEquals(1 << 20, store.getWhole(new ObjectKey("packs/00/a"), 1 << 20).length);
            store.put(new ObjectKey("packs/00/c"), ByteBuffer.allocate(2 << 20));
            try (Stream<Path> files = Files.list(folder.resolve("packs/00"))) {
                assertEquals(2, files.count(), "something was left behind");
            }
        }
    }

    @Test
    void noMoreInodesAreNoSpaceToo() throws Exception {
        mount("size=4m,nr_inodes=8");
        try (FileObjectStore store = FileObjectStore.open(folder)) {
            StoreException e = assertThrows(StoreException.class, () -> {
                for (int i = 0; i < 20; i++) {
                    store.put(new ObjectKey("d" + i + "/a"), ByteBuffer.allocate(10));
                }
            });
            assertEquals(Problem.OUT_OF_SPACE, e.problem(), e::toString);
        }
    }

    @Test
    void aReadOnlyFileSystemIsReadAndNotWritten() throws Exception {
        mount("size=4m");
        try (FileObjectStore store = FileObjectStore.open(folder)) {
            store.put(new ObjectKey("packs/00/a"), ByteBuffer.allocate(100));
            run("mount", "-o", "remount,ro", folder.toString());
            assertProblem(Problem.READ_ONLY, () -> store.put(new ObjectKey("packs/00/a"), ByteBuffer.allocate(1)));
            assertProblem(Problem.READ_ONLY, () -> store.put(new ObjectKey("packs/01/a"), ByteBuffer.allocate(1)));
            assertProblem(Problem.READ_ONLY, () -> store.delete(new ObjectKey("packs/00/a")));
            assertProblem(Problem.READ_ONLY, () -> FileObjectStore.create(folder.resolve("new")));
            assertEquals(100, store.getWhole(new ObjectKey("packs/00/a"), 100).length);
            assertEquals(List.of("packs/00/a"), keys(store));
        }
    }

    @Test
    void anUnmountedFileSystemIsNotAnEmptyStore() throws Exception {
        mount("size=4m");
        try (FileObjectStore store = FileObjectStore.open(folder)) {
            store.put(new ObjectKey("packs/00/a"), ByteBuffer.allocate(100));
            run("umount", "--lazy", folder.toString());
            mounted = false;
            assertProblem(Problem.STORE_MISSING, () -> store.list(KeyPrefix.ALL).hasNext());
            assertProblem(Problem.STORE_MISSING, () -> store.getWhole(new ObjectKey("packs/00/a"), 100));
            assertProblem(Problem.STORE_MISSING, () -> store.put(new ObjectKey("packs/00/b"), ByteBuffer.allocate(100)));
            try (Stream<Path> files = Files.list(folder)) {
                assertEquals(List.of(), files.toList(), "written behind the mount");
            }
        }
    }

    @Test
    void killedWritersLeaveWholeObjectsOnly() throws Exception {
        Set<String> reported = new HashSet<>();
        for (int round = 0; round < 6; round++) {
            Process writer = new ProcessBuilder(
                            ProcessHandle.current().info().command().orElseThrow(), "-cp", System.getProperty("java.class.path"),
                            KilledWriter.class.getName(), folder.toString(), Integer.toString(round))
                    .redirectError(ProcessBuilder.Redirect.INHERIT)
                    .start();
            try (BufferedReader lines = writer.inputReader()) {
                for (int i = 0; i < 40 + 37 * round; i++) {
                    reported.add(lines.readLine());
                }
                // Not Process.destroyForcibly, which would close the pipe that still holds some lines.
                writer.toHandle().destroyForcibly();
                lines.lines().filter(line -> line.endsWith(".")).forEach(reported::add);
            } finally {
                writer.destroyForcibly().waitFor();
            }
        }
        try (FileObjectStore store = FileObjectStore.open(folder)) {
            Set<String> listed = new HashSet<>();
            for (Listing all = store.list(KeyPrefix.ALL); all.hasNext(); ) {
                ObjectInfo object = all.next();
                listed.add(object.key().value() + '.');
                assertArrayEquals(KilledWriter.content(object.key()), store.getWhole(object.key(), 1 << 20), object.toString());
            }
            reported.removeAll(listed);
            assertEquals(Set.of(), reported, "was put, and is gone");
            store.removeLeftovers(Instant.now().plusSeconds(60));
        }
        try (Stream<Path> files = Files.walk(folder)) {
            assertFalse(files.anyMatch(file -> file.getFileName().toString().startsWith("~")));
        }
    }

    private void mount(String options) throws IOException, InterruptedException {
        boolean root = System.getProperty("user.name").equals("root");
        if (!root) {
            System.err.println("SKIPPED: full and read-only file systems, which only root can mount; run the tests as root in a container");
        }
        assumeTrue(root, "only root can mount a tmpfs");
        run("mount", "-t", "tmpfs", "-o", options, "tmpfs", folder.toString());
        mounted = true;
    }

    private static void run(String... command) throws IOException, InterruptedException {
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertEquals(0, process.waitFor(), String.join(" ", command) + ": " + output);
    }

    private static List<String> keys(FileObjectStore store) throws StoreException {
        return store.list(KeyPrefix.ALL).toList().stream().map(object -> object.key().value()).toList();
    }

    private static void assertProblem(Problem problem, Executable call) {
        StoreException e = assertThrows(StoreException.class, call);
        assertEquals(problem, e.problem(), () -> e + " by " + e.getCause());
    }
}
