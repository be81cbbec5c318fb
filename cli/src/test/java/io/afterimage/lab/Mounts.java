package io.afterimage.lab;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;

/** Mounts below a test's folder, which are surely gone when it ends, whoever made them. */
public final class Mounts implements AutoCloseable {

    private static final Duration PATIENCE = Duration.ofMinutes(1);

    private final Path folder;

    /** @param folder of the test */
    public Mounts(Path folder) throws IOException {
        this.folder = folder.toRealPath();
    }

    /** Mounts a file system's image, which may be read only. */
    public Path loop(Path image, String name, String options) throws IOException {
        Path at = Files.createDirectory(folder.resolve(name));
        Tool.run("mount", "-o", "loop," + options, image.toString(), at.toString()).orFail();
        return at;
    }

    /** Mounts a file system that lies in memory, of that size, such as {@code 8M}; {@link #resize} changes it. */
    public Path memory(String name, String size) throws IOException {
        Path at = Files.createDirectory(folder.resolve(name));
        Tool.run("mount", "-t", "tmpfs", "-o", "size=" + size, "tmpfs", at.toString()).orFail();
        return at;
    }

    public static void resize(Path at, String size) {
        Tool.run("mount", "-o", "remount,size=" + size, at.toString()).orFail();
    }

    /** Whether something is mounted there. */
    public static boolean isMounted(Path at) {
        return all().contains(at.toString());
    }

    private static List<String> all() {
        try {
            return Files.readAllLines(Path.of("/proc/self/mounts")).stream().map(line -> line.split(" ", -1)[1].replace("\\040", " ")).toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The newest first: one may lie in another. Returns when the processes have ended, too, that were told of the folder. */
    @Override
    public void close() {
        for (String mount : all().reversed()) {
            if (mount.startsWith(folder + "/")) {
                Tool.run("umount", "-l", mount).orFail();
            }
        }
        Deadline.in(PATIENCE).await(
                () -> ProcessHandle.allProcesses().noneMatch(this::concerns), () -> "somebody still works in " + folder);
    }

    private boolean concerns(ProcessHandle process) {
        return process.info().commandLine().filter(line -> line.contains(folder + "/")).isPresent();
    }
}
