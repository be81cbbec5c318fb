package io.afterimage.capture.qemu;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** Runs the real programs that the tests check against; a missing one fails by the name of its Debian package. */
final class Program {

    private static final Map<String, String> PACKAGES = Map.of(
            "qemu-system-x86_64", "qemu-system-x86", "qemu-img", "qemu-utils", "qemu-io", "qemu-utils",
            "nbdinfo", "libnbd-bin", "nbdcopy", "libnbd-bin", "mount", "mount", "umount", "mount", "setpriv", "util-linux");

    /** None of them takes more than a few seconds; a hanging one shall not hang the build. */
    private static final int LIMIT_SECONDS = 120;

    private Program() {}

    /** Runs to the end and returns what it wrote; fails when it does. */
    static String run(String... command) throws IOException, InterruptedException {
        Path output = Files.createTempFile("afterimage-program", ".out");
        try {
            Process process = start(output, List.of(command));
            boolean ended = process.waitFor(LIMIT_SECONDS, TimeUnit.SECONDS);
            process.destroyForcibly();
            int code = process.waitFor();
            String written = Files.readString(output, StandardCharsets.UTF_8);
            if (!ended || code != 0) {
                throw new AssertionError(String.join(" ", command) + " ended with " + code + ": " + written);
            }
            return written;
        } finally {
            Files.delete(output);
        }
    }

    static Process start(Path output, List<String> command) throws IOException {
        try {
            return new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(output.toFile()).start();
        } catch (IOException e) {
            throw new IOException("These tests need " + command.getFirst() + ": apt-get install "
                    + PACKAGES.getOrDefault(command.getFirst(), command.getFirst()), e);
        }
    }
}
