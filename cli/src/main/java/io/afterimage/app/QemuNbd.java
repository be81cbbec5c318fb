package io.afterimage.app;

import io.afterimage.block.BlockDevice;
import io.afterimage.nbd.client.ClientOptions;
import io.afterimage.nbd.client.NbdClient;
import io.afterimage.nbd.protocol.NbdUri;
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
    /** For one that has failed to come to its end. */
    private static final Duration END = Duration.ofSeconds(2);

    private final Path image;
    private final Process process;
    private final Path folder;

    private QemuNbd(Path image, Process process, Path folder) {
        this.image = image;
        this.process = process;
        this.folder = folder;
    }

    static QemuNbd serve(Path image, String format) throws IOException {
        Path folder = Files.createTempDirectory("afterimage-nbd");
        ProcessBuilder command = new ProcessBuilder(
                "qemu-nbd", "--read-only", "--persistent", "--shared=8", "--format=" + format,
                "--socket=" + folder.resolve("socket"), "--", image.toAbsolutePath().toString());
        QemuNbd server;
        try {
            server = new QemuNbd(image, command.redirectErrorStream(true).redirectOutput(folder.resolve("log").toFile()).start(), folder);
        } catch (IOException e) {
            delete(folder);
            throw new SourceException("To read " + format + " images, qemu-nbd is needed: install the package qemu-utils.", e);
        }
        server.awaitReady();
        return server;
    }

    private void awaitReady() throws IOException {
        long deadline = System.nanoTime() + PATIENCE.toNanos();
        while (!isListening()) {
            try {
                if (process.waitFor(10, TimeUnit.MILLISECONDS) || System.nanoTime() > deadline) {
                    throw refusal();
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

    private Path socket() {
        return folder.resolve("socket");
    }

    /** The image. What keeps qemu-nbd from opening it may come to light only now: it listens before it looks. */
    BlockDevice connect() throws IOException {
        try {
            return NbdClient.connect(NbdUri.unix(socket(), ""), ClientOptions.DEFAULT);
        } catch (IOException e) {
            try {
                if (process.waitFor(END.toMillis(), TimeUnit.MILLISECONDS)) {
                    throw refusal();
                }
            } catch (InterruptedException interrupted) {
                Thread.currentThread().interrupt();
            }
            throw e;
        }
    }

    private SourceException refusal() throws IOException {
        String words = Files.readString(folder.resolve("log"), StandardCharsets.UTF_8).strip().replace('\n', ' ');
        close();
        return new SourceException("The image " + image + " cannot be opened: " + words);
    }

    @Override
    public void close() throws IOException {
        process.destroy();
        process.onExit().join();
        if (Files.exists(folder)) {
            delete(folder);
        }
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
