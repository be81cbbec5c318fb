package io.afterimage.nbd;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** Real programs that the tests talk to. One that is missing fails the test and names the package to install. */
public final class Peer implements AutoCloseable {

    private static final int SECONDS = 120;

    private final Process process;
    private final List<String> command;

    private Peer(Process process, List<String> command) {
        this.process = process;
        this.command = command;
    }

    /**
     * What a program said, and how it ended.
     *
     * @param code exit code
     * @param output standard output and error together
     */
    public record Result(int code, String output) {

        /** The output of a program that succeeded. */
        public String success() {
            if (code != 0) {
                throw new AssertionError("exit code " + code + ": " + output);
            }
            return output;
        }
    }

    /** Runs a program to its end. */
    public static Result run(String... command) throws IOException, InterruptedException {
        Path output = Files.createTempFile("peer", ".out");
        try {
            Process process = start(List.of(command), output.toFile());
            if (!process.waitFor(SECONDS, TimeUnit.SECONDS)) {
                process.destroyForcibly().waitFor();
                throw new AssertionError(String.join(" ", command) + " does not end: " + text(output));
            }
            return new Result(process.exitValue(), text(output));
        } finally {
            Files.delete(output);
        }
    }

    /** Starts a server that lives until it is closed. */
    public static Peer serve(String... command) throws IOException {
        List<String> arguments = new ArrayList<>(List.of(command));
        return new Peer(start(arguments, Path.of("/dev/null").toFile()), arguments);
    }

    public boolean isAlive() {
        return process.isAlive();
    }

    public long pid() {
        return process.pid();
    }

    /** Waits until the server listens on its socket: one that is there may not be listened on yet. */
    public void awaitSocket(Path socket) throws IOException, InterruptedException {
        Await.until("a socket of " + command, () -> {
            if (!process.isAlive()) {
                throw new AssertionError(command + " ended with " + process.exitValue());
            }
            return isListenedOn(socket);
        });
    }

    /** By the kernel's list, without a connection: some servers end with the first one. */
    private static boolean isListenedOn(Path socket) throws IOException {
        String accepting = " 00010000 ";
        return Files.readAllLines(Path.of("/proc/net/unix")).stream()
                .anyMatch(line -> line.endsWith(" " + socket) && line.contains(accepting));
    }

    /** Ends it as a crash would (SIGKILL). */
    public void kill() throws InterruptedException {
        process.destroyForcibly().waitFor();
    }

    @Override
    public void close() {
        process.destroy();
        try {
            if (!process.waitFor(5, TimeUnit.SECONDS)) {
                process.destroyForcibly().waitFor();
            }
        } catch (InterruptedException e) {
            process.destroyForcibly();
            Thread.currentThread().interrupt();
        }
    }

    private static String text(Path file) throws IOException {
        return new String(Files.readAllBytes(file), StandardCharsets.UTF_8);
    }

    private static Process start(List<String> command, java.io.File output) throws IOException {
        try {
            return new ProcessBuilder(command)
                    .redirectErrorStream(true)
                    .redirectOutput(output)
                    .redirectInput(ProcessBuilder.Redirect.from(Path.of("/dev/null").toFile()))
                    .start();
        } catch (IOException e) {
            throw new AssertionError(
                    command.getFirst() + " is missing; install the packages qemu-utils qemu-system-x86 nbdkit libnbd-bin"
                            + " python3-libnbd nbdfuse fio nbd-client: " + e.getMessage(), e);
        }
    }
}
