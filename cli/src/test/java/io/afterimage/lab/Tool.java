package io.afterimage.lab;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** Programs of the host: run to their end, or started and surely ended with the JVM. */
public final class Tool {
    private static final Duration PATIENCE = Duration.ofMinutes(2);

    /** Debian's package of each program that a test may ask for; anything else is assumed to be named like its package. */
    private static final Map<String, String> PACKAGES = Map.ofEntries(
            Map.entry("qemu-system-x86_64", "qemu-system-x86"),
            Map.entry("qemu-img", "qemu-utils"),
            Map.entry("qemu-io", "qemu-utils"),
            Map.entry("qemu-nbd", "qemu-utils"),
            Map.entry("nbdinfo", "libnbd-bin"),
            Map.entry("nbdcopy", "libnbd-bin"),
            Map.entry("nbdsh", "python3-libnbd"),
            Map.entry("virsh", "libvirt-clients"),
            Map.entry("setpriv", "util-linux"),
            Map.entry("mount", "util-linux"),
            Map.entry("mke2fs", "e2fsprogs"),
            Map.entry("e2fsck", "e2fsprogs"),
            Map.entry("xfs_repair", "xfsprogs"),
            Map.entry("btrfs", "btrfs-progs"),
            Map.entry("fusermount", "fuse"),
            Map.entry("cmp", "diffutils"));

    private Tool() {}

    /** How a program ended; {@code text} holds both of its streams, in the order in which they were written. */
    public record Result(List<String> command, int exit, String text) {
        /** Returns this, if the program ended with 0; else fails with the command and what it said. */
        public Result orFail() {
            if (exit != 0) {
                throw new IllegalStateException(String.join(" ", command) + " ended with " + exit + ":\n" + text);
            }
            return this;
        }
    }

    /** Runs a program to its end, for two minutes at most. */
    public static Result run(String... command) {
        return run(PATIENCE, command);
    }

    /** Runs a program to its end; one that takes longer is killed and the call fails. */
    public static Result run(Duration patience, String... command) {
        Path output = null;
        try {
            output = Files.createTempFile("tool", ".out");
            Process process = start(List.of(command), output);
            if (!process.waitFor(patience.toMillis(), TimeUnit.MILLISECONDS)) {
                process.destroyForcibly().waitFor();
                throw new IllegalStateException(String.join(" ", command) + " did not end within " + patience
                        + "; it said:\n" + Files.readString(output));
            }
            // Replaces what is no UTF-8 instead of failing on it.
            String text = new String(Files.readAllBytes(output), StandardCharsets.UTF_8);
            return new Result(List.of(command), process.exitValue(), text);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(command[0] + " was waited for in vain", e);
        } finally {
            if (output != null) {
                output.toFile().delete();
            }
        }
    }

    /**
     * Starts a program that reads nothing and writes both streams to a file. It is killed by the kernel when the JVM
     * ends, however that happens.
     */
    public static Process start(List<String> command, Path output) {
        require(command.getFirst());
        return Offspring.start(new ProcessBuilder(command)
                .redirectInput(Path.of("/dev/null").toFile())
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.appendTo(output.toFile())));
    }

    /** The kernel's letter for a process's state: {@code T} stopped, {@code Z} dead and not waited for, {@code X} gone. */
    public static char state(long pid) {
        try {
            String stat = Files.readString(Path.of("/proc", Long.toString(pid), "stat"));
            return stat.charAt(stat.lastIndexOf(')') + 2);
        } catch (IOException e) {
            return 'X';
        }
    }

    /** Fails with the package to install when a program is not there. */
    public static void require(String program) {
        if (program.contains("/")) {
            return;
        }
        for (String folder : System.getenv("PATH").split(":", -1)) {
            if (Files.isExecutable(Path.of(folder, program))) {
                return;
            }
        }
        throw new IllegalStateException(program + " is not installed; apt-get install "
                + PACKAGES.getOrDefault(program, program));
    }
}
