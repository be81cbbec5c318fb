package io.afterimage.app;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * This program once more, in a session of its own, without a terminal: a JVM cannot fork. What it prints comes through until it says that it is ready;
 * from then on it is on its own, and what it logs is lost.
 */
public final class Background {

    private Background() {}

    /**
     * Runs the same command line without one of its words, and waits.
     *
     * @param word which made this process do so
     * @param ready what the line begins with that says that it is ready
     * @return 0 when it is ready, or the code with which it has ended before
     */
    public static int run(String word, String ready, PrintWriter out, PrintWriter err) throws IOException {
        List<String> command = new ArrayList<>(List.of("setsid"));
        // The kernel's own words: the JVM's account of them is empty when they are many.
        command.addAll(List.of(Files.readString(Path.of("/proc/self/cmdline")).split("\0", -1)));
        command.removeLast();
        command.remove(command.lastIndexOf(word));
        Process process = new ProcessBuilder(command).redirectInput(Path.of("/dev/null").toFile()).start();
        Thread errors = Thread.ofPlatform().daemon().start(() -> pass(process.errorReader(StandardCharsets.UTF_8), err));
        try (BufferedReader lines = process.inputReader(StandardCharsets.UTF_8)) {
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                out.println(line);
                if (line.startsWith(ready)) {
                    return 0;
                }
            }
            int code = process.waitFor();
            errors.join();
            return code;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted while a process in the background was awaited", e);
        }
    }

    private static void pass(BufferedReader from, PrintWriter to) {
        from.lines().forEach(to::println);
    }
}
