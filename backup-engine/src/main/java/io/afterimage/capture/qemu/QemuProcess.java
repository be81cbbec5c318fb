package io.afterimage.capture.qemu;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;
import java.util.regex.Pattern;

/**
 * A QEMU's process on this host, as far as the kernel lets us look at it.
 *
 * @param folder its own below {@code /proc}
 */
public record QemuProcess(Path folder) {

    private static final Path PROC = Path.of("/proc");
    private static final Pattern ZERO = Pattern.compile("\0");

    /** {@code Num RefCount Protocol Flags Type St Inode Path}; a socket that listens has this flag, and its path. */
    private static final Pattern LISTENING = Pattern.compile("\\S+ \\S+ \\S+ 00010000 \\S+ \\S+ +(\\d+) (/.*)");

    /** {@code RUNNING WAITING SLICES}, of a thread, in nanoseconds. */
    private static final Pattern SCHEDULED = Pattern.compile("\\d+ (\\d+) \\d+\\s*");

    private static final int LONGEST_COMMAND_LINE = 1 << 20;

    /** The process that listens on the socket; empty when it is another user's, or of another host. */
    static Optional<QemuProcess> listeningOn(Path socket) throws IOException {
        // It listens under the name that it was given, which may lead through links.
        Set<String> inodes = listening(List.of(socket.toAbsolutePath().toString(), socket.toRealPath().toString()));
        return inodes.isEmpty() ? Optional.empty() : find(process -> process.holds(inodes));
    }

    /** The process that was started for the machine of that UUID; empty when it is of another host. */
    public static Optional<QemuProcess> ofMachine(String uuid) throws IOException {
        return find(process -> Collections.indexOfSubList(process.commandLine(), List.of("-uuid", uuid)) >= 0);
    }

    private static Optional<QemuProcess> find(Predicate<QemuProcess> wanted) throws IOException {
        try (DirectoryStream<Path> processes = Files.newDirectoryStream(PROC, "[0-9]*")) {
            for (Path folder : processes) {
                QemuProcess process = new QemuProcess(folder);
                if (wanted.test(process)) {
                    return Optional.of(process);
                }
            }
        } catch (DirectoryIteratorException e) {
            throw e.getCause();
        }
        return Optional.empty();
    }

    private static Set<String> listening(List<String> paths) throws IOException {
        Set<String> inodes = new HashSet<>();
        for (String line : Files.readAllLines(PROC.resolve("net/unix"), StandardCharsets.ISO_8859_1)) {
            var socket = LISTENING.matcher(line);
            if (socket.matches() && paths.contains(new String(socket.group(2).getBytes(StandardCharsets.ISO_8859_1), StandardCharsets.UTF_8))) {
                inodes.add("socket:[" + socket.group(1) + "]");
            }
        }
        return inodes;
    }

    private boolean holds(Set<String> inodes) {
        try (DirectoryStream<Path> files = Files.newDirectoryStream(folder.resolve("fd"))) {
            for (Path file : files) {
                if (inodes.contains(Files.readSymbolicLink(file).toString())) {
                    return true;
                }
            }
            return false;
        } catch (IOException | DirectoryIteratorException e) {
            return false; // another user's, or it has just ended
        }
    }

    /** The words that it was started with; none when it has ended. */
    List<String> commandLine() {
        try (var in = Files.newInputStream(folder.resolve("cmdline"))) {
            return ZERO.splitAsStream(new String(in.readNBytes(LONGEST_COMMAND_LINE), StandardCharsets.UTF_8)).toList();
        } catch (IOException e) {
            return List.of();
        }
    }

    /**
     * For how long the threads that it has now had something to do and no processor to do it on, all added up: the second number of their {@code schedstat} (Linux,
     * Documentation/scheduler/sched-stats.rst). 0 where the kernel does not count it.
     */
    public long waitNanos() {
        long nanos = 0;
        try (DirectoryStream<Path> threads = Files.newDirectoryStream(folder.resolve("task"))) {
            for (Path thread : threads) {
                nanos += waitNanos(thread);
            }
        } catch (IOException | DirectoryIteratorException e) {
            return 0; // it has ended: whoever reads its disks finds out
        }
        return nanos;
    }

    private static long waitNanos(Path thread) {
        try {
            var scheduled = SCHEDULED.matcher(Files.readString(thread.resolve("schedstat"), StandardCharsets.US_ASCII));
            return scheduled.matches() ? Long.parseLong(scheduled.group(1)) : 0;
        } catch (IOException e) {
            return 0; // it has just ended
        }
    }
}
