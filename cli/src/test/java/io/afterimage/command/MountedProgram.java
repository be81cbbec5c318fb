package io.afterimage.command;

import io.afterimage.lab.Deadline;
import io.afterimage.lab.Mounts;
import io.afterimage.lab.Tool;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** {@code afterimage mount} as a process, from when the points are there until it ends. */
final class MountedProgram {

    private static final Duration PATIENCE = Duration.ofMinutes(2);

    private final Process process;
    private final Path log;
    private final Path folder;

    private MountedProgram(Process process, Path log, Path folder) {
        this.process = process;
        this.log = log;
        this.folder = folder;
    }

    /** Mounts at a folder and waits until it is done. */
    static MountedProgram mount(Program afterimage, Path folder, String... options) throws IOException {
        List<String> arguments = new ArrayList<>(List.of("mount", folder.toString()));
        arguments.addAll(List.of(options));
        return start(afterimage, folder, arguments);
    }

    /** The same by any command that says so. */
    static MountedProgram start(Program afterimage, Path folder, List<String> arguments) throws IOException {
        Path log = Files.createTempFile(folder.toAbsolutePath().getParent(), "mount", ".log");
        Process process = afterimage.start(log, arguments.toArray(String[]::new));
        MountedProgram program = new MountedProgram(process, log, folder);
        Deadline.in(PATIENCE).await(() -> program.log().contains("Mounted at ") || !process.isAlive(), program::log);
        if (!process.isAlive()) {
            throw new AssertionError("it has ended with " + process.exitValue() + ":\n" + program.log());
        }
        return program;
    }

    String log() {
        try {
            return Files.readString(log);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    Path folder() {
        return folder;
    }

    /** SIGTERM. */
    void terminate() {
        process.destroy();
    }

    /** SIGKILL. */
    void kill() {
        process.destroyForcibly();
    }

    /** Sends it a signal by name. */
    void signal(String name) {
        Tool.run("kill", "-" + name, Long.toString(process.pid())).orFail();
    }

    /** Waits until it has ended, and returns its exit code. */
    int awaitEnd() throws InterruptedException {
        if (!process.waitFor(PATIENCE.toSeconds(), TimeUnit.SECONDS)) {
            throw new AssertionError("it does not end:\n" + log());
        }
        return process.exitValue();
    }

    boolean isMounted() {
        return Mounts.isMounted(folder);
    }
}
