package io.afterimage.command;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.afterimage.lab.Deadline;
import io.afterimage.lab.Lab;
import io.afterimage.lab.Tool;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;

/** A machine that boots from the repository leaves a profile, and boots by it the next time. */
class BootProfileIT {

    private static final String READY = "AFTERIMAGE-GUEST-READY";
    private static final Duration PATIENCE = Duration.ofMinutes(4);
    private static final Pattern REPLAYED =
            Pattern.compile("boot profile of web/vda: (\\d+) chunks fetched ahead, (\\d+) % of them read; (\\d+) bytes read that it does not have");

    /** The guest reads 17 MB by firmware and kernel, whatever else it does. */
    private static final long LEAST_READ = 10_000_000;

    @TempDir
    Path folder;

    private Program afterimage;

    @BeforeEach
    void backUp() {
        afterimage = new Program(folder).with("AFTERIMAGE_LOG", "INFO");
        afterimage.run("init").orFail();
        afterimage.run("backup", "web", "--image", "vda=raw:" + Lab.tinyDisk()).orFail();
    }

    @Test
    void theSecondBootIsFollowedByTheProfileOfTheFirst() throws IOException {
        assertTrue(profile().isNull());
        assertFalse(boot("--no-profile").contains("boot profile of"));
        assertTrue(profile().isNull(), "nothing is recorded with --no-profile");

        assertTrue(boot().contains("The boot profile of web/vda is new"));
        JsonNode first = profile();
        assertTrue(first.path("bytes").asLong() > LEAST_READ, first.toString());
        assertEquals(afterimage.run("show", "web", "--json").json().path("point").asString(), first.path("point").asString());
        assertTrue(afterimage.run("show", "web").orFail().out().contains("boot profile of vda"));

        String log = boot("--overlay", "kept");
        Matcher replayed = REPLAYED.matcher(log);
        assertTrue(replayed.find(), log);
        assertTrue(Long.parseLong(replayed.group(1)) * 65536 > LEAST_READ, log);
        assertTrue(Integer.parseInt(replayed.group(2)) >= 80, log);
        assertTrue(Long.parseLong(replayed.group(3)) < LEAST_READ / 2, log);

        // A clone has not booted yet, and does not begin from nothing.
        afterimage.run("commit", "kept", "--as", "clone").orFail();
        assertEquals(first, afterimage.run("show", "clone", "--json").json().path("disks").path(0).path("bootProfile"));
        assertTrue(afterimage.run("show", "clone").orFail().out().contains(" of web/vda, which it was launched from"));

        Program there = afterimage.on(folder.resolve("there"));
        there.run("init", "--chunk-size", "16k").orFail();
        afterimage.run("copy", "--to", there.repository().toString(), "web").orFail();
        assertEquals(profile(), profile(there));
    }

    @Test
    void aMachineThatBootsFromTheServerLeavesOneTooAndACopyingClientDoesNot() throws IOException {
        try (ServedRepository served = ServedRepository.start(afterimage, folder)) {
            String uri = served.uri("web/vda@latest");
            Tool.run("nbdinfo", uri).orFail();
            Tool.run("nbdcopy", uri, folder.resolve("copy.raw").toString()).orFail();
            Tool.run("qemu-img", "convert", "-O", "raw", uri, folder.resolve("converted.raw").toString()).orFail();
            assertTrue(profile().isNull(), served::log);
            Path serial = folder.resolve("serial.log");
            Process machine = Tool.start(
                    List.of(
                            "qemu-system-x86_64", "-accel", Lab.accelerator(), "-m", "256", "-nodefaults", "-no-user-config", "-display", "none",
                            "-drive", "if=none,id=vda,snapshot=on,format=raw,file=" + uri, "-device", "virtio-blk-pci,drive=vda",
                            "-serial", "file:" + serial),
                    folder.resolve("qemu.log"));
            awaitReady(machine, serial);
            end(machine);
            // The server stores it when the connection has ended.
            Deadline.in(PATIENCE).await(() -> served.log().contains("The boot profile of web/vda is new"), served::log);
        }
        assertTrue(profile().path("bytes").asLong() > LEAST_READ, () -> profile().toString());
    }

    private JsonNode profile() {
        return profile(afterimage);
    }

    private static JsonNode profile(Program program) {
        return program.run("show", "web", "--json").json().path("disks").path(0).path("bootProfile");
    }

    /** Boots until the guest is up, then ends it as Ctrl-C does, and returns all that was said. */
    private String boot(String... options) throws IOException {
        Path log = Files.createTempFile(folder, "boot", ".log");
        String[] arguments = new String[options.length + 2];
        arguments[0] = "boot";
        System.arraycopy(options, 0, arguments, 1, options.length);
        arguments[options.length + 1] = "web";
        Process process = afterimage.with("AFTERIMAGE_ACCEL", Lab.accelerator()).start(log, arguments);
        awaitReady(process, log);
        end(process);
        return text(log);
    }

    private static void awaitReady(Process process, Path log) {
        Deadline.in(PATIENCE).await(() -> text(log).contains(READY) || !process.isAlive(), () -> text(log));
        assertTrue(text(log).contains(READY), () -> text(log));
    }

    private static void end(Process process) {
        process.destroy();
        try {
            assertTrue(process.waitFor(PATIENCE.toSeconds(), TimeUnit.SECONDS), "it ends by SIGTERM");
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new AssertionError("interrupted", e);
        }
    }

    private static String text(Path log) {
        try {
            return Files.exists(log) ? new String(Files.readAllBytes(log), StandardCharsets.UTF_8) : "";
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
