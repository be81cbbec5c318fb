package io.afterimage.app;

import java.io.Closeable;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.TimeUnit;

/** A qemu-nbd of our own that serves one image, read-only, on a socket that nobody else can reach. */
final class QemuNbd implements Closeable {

    private static final Duration PATIENCE = Duration.ofSeconds(20);

    private final Process process;
    private final Path folder;

    private QemuNbd(Process process, Path folder) {
        this.process = process;
        this.folder = folder;
    }

    static QemuNbd serve(Path image, String format) throws IOException {
        Path folder = Files.createTempDirectory("afterimage-nbd");
        Path log = folder.resolve("log");
        ProcessBuilder command = new ProcessBuilder(
                "qemu-nbd", "--read-only", "--persistent", "--shared=8", "--format=" + format,
                "--socket=" + folder.resolve("socket"), "--", image.toAbsolutePath().toString());
        QemuNbd server;
        try {
            server = new QemuNbd(command.redirectErrorStream(true).redirectOutput(log.toFile()).start(), folder);
        } catch (IOException e) {
            delete(folder);
            throw new SourceException("To read " + format + " images, qemu-nbd is needed: install the package qemu-utils.", e);
        }
        server.awaitReady(image, log);
        return server;
    }

    private void awaitReady(Path image, Path log) throws IOException {
        long deadline = System.nanoTime() + PATIENCE.toNanos();
        while (!isListening()) {
            try {
                if (process.waitFor(10, TimeUnit.MILLISECONDS) || System.nanoTime() > deadline) {
                    String words = Files.readString(log, StandardCharsets.UTF_8).strip().replace('\n', ' ');
                    close();
                    throw new SourceException("The image " + image + " cannot be opened: " + words);
                }
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                close();
                throw new IOException("interrupted while qemu-nbd started", e);
            }
        }
    }

    /** A socket that is there may not be listened on yet. */
    private boolean isListening() {
        try (SocketChannel channel = SocketChannel.open(UnixDomainSocketAddress.of(socket()))) {
            return channel.isConnected();
        } catch (IOException e) {
            return false;
        }
    }

    Path socket() {
        return folder.resolve("socket");
    }

    @Override
    public void close() throws IOException {
        process.destroy();
        process.onExit().join();
        delete(folder);
    }

    private static void delete(Path folder) throws IOException {
        try (var files = Files.list(folder)) {
            files.forEach(file -> {
                try {
                    Files.deleteIfExists(file);
                } catch (IOException e) {
                    throw new UncheckedIOException(e);
                }
            });
        }
        Files.delete(folder);
    }
}
