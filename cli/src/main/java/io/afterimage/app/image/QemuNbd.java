package io.afterimage.app.image;

import io.afterimage.app.SourceException;
import io.afterimage.nbd.client.ClientOptions;
import io.afterimage.nbd.client.NbdClient;
import io.afterimage.nbd.client.RemoteDevice;
import io.afterimage.nbd.protocol.MetaContext;
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
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

/** A qemu-nbd of our own that serves one image on a socket that nobody else can reach. */
public final class QemuNbd implements Closeable {

    private static final Duration PATIENCE = Duration.ofSeconds(20);
    /** For one that has failed to come to its end. */
    private static final Duration END = Duration.ofSeconds(2);

    private final Path image;
    private final Offer offer;
    private final Process process;
    private final Path folder;

    private QemuNbd(Path image, Offer offer, Process process, Path folder) {
        this.image = image;
        this.offer = offer;
        this.process = process;
        this.folder = folder;
    }

    /**
     * What is to be told beside the bytes, and where they are zeros.
     *
     * @param depth in which image of the backing chain each range lies: {@value #DEPTH}, 1 the first, 0 none
     * @param bitmap a dirty bitmap that is stored in the image: {@link #bitmapContext}, flag 1 is dirty
     */
    public record Offer(boolean depth, Optional<String> bitmap) {

        /** Bytes and zeros alone. */
        public static final Offer NOTHING = new Offer(false, Optional.empty());
        /** The metadata context that tells depths. */
        public static final String DEPTH = "qemu:allocation-depth";

        /** The metadata context that tells of the bitmap. */
        public String bitmapContext() {
            return "qemu:dirty-bitmap:" + bitmap.orElseThrow();
        }

        private List<String> options() {
            List<String> options = new ArrayList<>();
            if (depth) {
                options.add("--allocation-depth");
            }
            bitmap.ifPresent(name -> options.add("--bitmap=" + name));
            return options;
        }

        private String[] contexts() {
            List<String> contexts = new ArrayList<>(List.of(MetaContext.BASE_ALLOCATION));
            if (depth) {
                contexts.add(DEPTH);
            }
            bitmap.ifPresent(_ -> contexts.add(bitmapContext()));
            return contexts.toArray(String[]::new);
        }
    }

    /** One that reads alone. It has begun to listen when this returns. */
    public static QemuNbd serve(Path image, String format, Offer offer) throws IOException {
        List<String> options = new ArrayList<>(List.of("--read-only", "--shared=8"));
        options.addAll(offer.options());
        return start(image, format, offer, options);
    }

    /** One that takes writes, trims included, and has them in the file when it is closed. */
    public static QemuNbd serveWritable(Path image, String format) throws IOException {
        return start(image, format, Offer.NOTHING, List.of("--discard=unmap"));
    }

    private static QemuNbd start(Path image, String format, Offer offer, List<String> options) throws IOException {
        Path folder = Files.createTempDirectory("afterimage-nbd");
        List<String> command = new ArrayList<>(List.of("qemu-nbd", "--persistent", "--format=" + format));
        command.addAll(options);
        command.addAll(List.of("--socket=" + folder.resolve("socket"), "--", image.toAbsolutePath().toString()));
        ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(folder.resolve("log").toFile());
        QemuNbd server;
        try {
            server = new QemuNbd(image, offer, builder.start(), folder);
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
    public RemoteDevice connect() throws IOException {
        try {
            return NbdClient.connect(NbdUri.unix(socket(), ""), ClientOptions.DEFAULT.withContexts(offer.contexts()));
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
