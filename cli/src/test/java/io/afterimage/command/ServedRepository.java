package io.afterimage.command;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.afterimage.lab.Deadline;
import io.afterimage.lab.Tool;
import java.io.Closeable;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.DigestInputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** {@code afterimage serve} on a unix socket in a folder, until it is closed. */
final class ServedRepository implements Closeable {

    private static final Duration PATIENCE = Duration.ofSeconds(60);

    private static final Pattern TCP = Pattern.compile("Serving on [0-9.]+:(\\d+)\\.");

    private final Path folder;
    private final Path socket;
    private final Path log;
    private final Process process;

    private ServedRepository(Path folder, Path socket, Path log, Process process) {
        this.folder = folder;
        this.socket = socket;
        this.log = log;
        this.process = process;
    }

    /** Started, with more options if wanted, and listening. */
    static ServedRepository start(Program afterimage, Path folder, String... options) throws IOException {
        Path socket = folder.resolve("nbd.sock");
        Path log = folder.resolve("serve.log");
        List<String> arguments = new ArrayList<>(List.of("serve", "--nbd", "unix:" + socket));
        arguments.addAll(List.of(options));
        Process process = afterimage.start(log, arguments.toArray(String[]::new));
        ServedRepository served = new ServedRepository(folder, socket, log, process);
        Deadline.in(PATIENCE).await(() -> served.log().contains("Serving on") || !process.isAlive(), served::log);
        if (!process.isAlive()) {
            throw new AssertionError("serve has ended: " + served.log());
        }
        return served;
    }

    Path socket() {
        return socket;
    }

    /** The TCP port, if it listens on one, too. */
    int port() {
        Matcher address = TCP.matcher(log());
        assertTrue(address.find(), this::log);
        return Integer.parseInt(address.group(1));
    }

    String uri(String selector) {
        return "nbd+unix:///" + selector + "?socket=" + socket;
    }

    /** What the server has said so far. */
    String log() {
        try {
            return Files.exists(log) ? new String(Files.readAllBytes(log), StandardCharsets.UTF_8) : "";
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Fails unless the disk is, byte for byte, what the raw file holds: as QEMU reads it, and by SHA-256 of a copy. */
    void assertExact(Path reference, String selector) {
        Tool.run("qemu-img", "compare", "-f", "raw", "-F", "raw", reference.toString(), uri(selector)).orFail();
        Path copy = folder.resolve("copied.raw");
        Tool.run("nbdcopy", uri(selector), copy.toString()).orFail();
        assertEquals(sha256(reference), sha256(copy), selector);
    }

    static String sha256(Path file) {
        try {
            MessageDigest digest = MessageDigest.getInstance("SHA-256");
            try (InputStream in = new DigestInputStream(Files.newInputStream(file), digest)) {
                in.transferTo(OutputStream.nullOutputStream());
            }
            return HexFormat.of().formatHex(digest.digest());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError("every Java platform has SHA-256", e);
        }
    }

    /** Ends it by SIGTERM and returns its exit code. */
    int terminate() {
        process.destroy();
        return awaitEnd();
    }

    private int awaitEnd() {
        try {
            if (!process.waitFor(PATIENCE.toSeconds(), TimeUnit.SECONDS)) {
                throw new AssertionError("serve does not end: " + log());
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new AssertionError("interrupted", e);
        }
        return process.exitValue();
    }

    @Override
    public void close() {
        process.destroyForcibly();
        awaitEnd();
    }
}
