package io.afterimage.store.s3;

import java.io.Closeable;
import java.io.IOException;
import java.net.BindException;
import java.net.ConnectException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/**
 * The processes of which a server consists, in a folder of their own where each has its log. They, and the folder, are gone when this is closed, and when
 * the JVM ends.
 */
final class ServerProcesses implements Closeable {

    private static final Duration PATIENCE = Duration.ofMinutes(2);

    private static final int PORTS = 100;
    private static final int FIRST_PORT = 20_000 + (int) (ProcessHandle.current().pid() % 120) * PORTS;

    private static int portsGiven;

    private final Path folder;
    private final List<Process> processes = new ArrayList<>();
    private final Thread killer = new Thread(this::kill);

    /** @param packages where the programs, given by their paths, come from */
    ServerProcesses(String name, List<String> programs, String packages) throws IOException {
        for (String program : programs) {
            if (!Files.isExecutable(Path.of(program))) {
                throw new IllegalStateException(program + " is missing: apt-get install --no-install-recommends " + packages);
            }
        }
        folder = Files.createTempDirectory("afterimage-" + name);
        Runtime.getRuntime().addShutdownHook(killer);
    }

    /** A file of the folder. */
    Path path(String name) {
        return folder.resolve(name);
    }

    Path folder() {
        return folder;
    }

    void write(String name, String content) throws IOException {
        Files.writeString(path(name), content);
    }

    /**
     * One that is not used, and given to nobody else until the server has it: not by the kernel, whose own choices begin at 32768, not by this JVM again, and
     * not by another that runs tests at the same time, since each has some of its own by the number of its process.
     */
    static synchronized int freePort() throws IOException {
        for (int tried = 0; tried < PORTS; tried++) {
            int port = FIRST_PORT + portsGiven++ % PORTS;
            try (ServerSocket socket = new ServerSocket(port, 1, InetAddress.getLoopbackAddress())) {
                return socket.getLocalPort();
            } catch (BindException _) {
                // Somebody has it.
            }
        }
        throw new IOException("no port is free from " + FIRST_PORT + " on");
    }

    /** Starts one that stays. */
    void start(String name, List<String> command) throws IOException {
        processes.add(run(name, command));
    }

    /** Runs one that must come to a good end. */
    void finish(String name, List<String> command) throws IOException, InterruptedException {
        Process process = run(name, command);
        if (!process.waitFor(PATIENCE.toSeconds(), TimeUnit.SECONDS)) {
            process.destroyForcibly();
            throw new IOException(name + " does not come to an end:\n" + logs());
        }
        if (process.exitValue() != 0) {
            throw new IOException(name + " failed:\n" + logs());
        }
    }

    private Process run(String name, List<String> command) throws IOException {
        return new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(path(name + ".log").toFile()).start();
    }

    /** Returns when a GET is answered with 200. */
    void awaitAnswer(URI uri) throws IOException, InterruptedException {
        try (HttpClient client = HttpClient.newHttpClient()) {
            HttpRequest request = HttpRequest.newBuilder(uri).timeout(PATIENCE).build();
            await(uri.toString(), () -> {
                try {
                    return client.send(request, BodyHandlers.discarding()).statusCode() == 200;
                } catch (ConnectException _) {
                    return false;
                }
            });
        }
    }

    /** Whether what is awaited is there. */
    interface Look {
        boolean isThere() throws IOException, InterruptedException;
    }

    /** Looks again and again; fails when a process has ended, or after long. */
    void await(String what, Look look) throws IOException, InterruptedException {
        long deadline = System.nanoTime() + PATIENCE.toNanos();
        while (!look.isThere()) {
            for (Process process : processes) {
                if (process.waitFor(20, TimeUnit.MILLISECONDS)) {
                    throw new IOException(process.info() + " ended early; see the logs:\n" + logs());
                }
            }
            if (System.nanoTime() > deadline) {
                throw new IOException(what + " did not come up:\n" + logs());
            }
        }
    }

    private String logs() throws IOException {
        StringBuilder text = new StringBuilder();
        try (Stream<Path> files = Files.list(folder)) {
            for (Path log : files.filter(file -> file.toString().endsWith(".log")).toList()) {
                text.append(log.getFileName()).append(":\n").append(Files.readString(log));
            }
        }
        return text.toString();
    }

    private void kill() {
        for (Process process : processes) {
            process.descendants().forEach(ProcessHandle::destroyForcibly);
            process.destroyForcibly();
        }
    }

    @Override
    public void close() throws IOException {
        Runtime.getRuntime().removeShutdownHook(killer);
        kill();
        for (Process process : processes) {
            process.onExit().join();
        }
        try (Stream<Path> files = Files.walk(folder)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(file);
            }
        }
    }
}
