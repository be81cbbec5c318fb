package io.afterimage.capture.qemu;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;

/** The process behind a QMP socket, as far as the kernel lets us look at it. */
final class QemuProcess {

    private static final Path PROC = Path.of("/proc");
    private static final Pattern ZERO = Pattern.compile("\0");

    /** {@code Num RefCount Protocol Flags Type St Inode Path}; a socket that listens has this flag, and its path. */
    private static final Pattern LISTENING = Pattern.compile("\\S+ \\S+ \\S+ 00010000 \\S+ \\S+ +(\\d+) (/.*)");

    private static final int LONGEST_COMMAND_LINE = 1 << 20;

    private QemuProcess() {}

    /** The words that the process which listens on the socket was started with; empty when it is another user's, or of another host. */
    static Optional<List<String>> commandLine(Path socket) throws IOException {
        // It listens under the name that it was given, which may lead through links.
        Set<String> inodes = listening(List.of(socket.toAbsolutePath().toString(), socket.toRealPath().toString()));
        if (inodes.isEmpty()) {
            return Optional.empty();
        }
        try (DirectoryStream<Path> processes = Files.newDirectoryStream(PROC, "[0-9]*")) {
            for (Path process : processes) {
                if (holds(process, inodes)) {
                    return Optional.of(words(process));
                }
            }
        } catch (DirectoryIteratorException e) {
            throw e.getCause();
        } catch (FileSystemException e) {
            return Optional.empty(); // it has ended at this moment
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

    private static boolean holds(Path process, Set<String> inodes) {
        try (DirectoryStream<Path> files = Files.newDirectoryStream(process.resolve("fd"))) {
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

    private static List<String> words(Path process) throws IOException {
        try (var in = Files.newInputStream(process.resolve("cmdline"))) {
            return ZERO.splitAsStream(new String(in.readNBytes(LONGEST_COMMAND_LINE), StandardCharsets.UTF_8)).toList();
        }
    }
}
