package io.afterimage.app;

import io.afterimage.catalog.Point;
import io.afterimage.catalog.PointDisk;
import io.afterimage.image.ImageLibrary;
import io.afterimage.image.OverlayName;
import io.afterimage.manifest.DiskName;
import io.afterimage.nbd.protocol.NbdUri;
import io.afterimage.nbd.server.Exports;
import io.afterimage.nbd.server.NbdServer;
import io.afterimage.nbd.server.ServerSettings;
import java.io.File;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;

/**
 * Starts a virtual machine from a point, with nothing restored first: the disks are served on a private NBD socket, and what the guest
 * writes goes to a temporary overlay of QEMU's that is gone when the machine ends, or to one of ours that stays.
 */
public final class BootPoint {

    private static final String QEMU = "qemu-system-x86_64";
    private static final Duration PATIENCE = Duration.ofSeconds(10);

    private final Exports exports;
    private final ImageLibrary images;

    /** @param exports what the machine's disks are served from: all points, and overlays if it is to boot on one */
    public BootPoint(Exports exports, ImageLibrary images) {
        this.exports = exports;
        this.images = images;
    }

    /**
     * How to boot.
     *
     * @param overlay takes the place of the point's only disk, and keeps what the machine writes; when empty that is gone in the end
     * @param boot the disk to boot from; the point's first when empty. The others are there, too
     * @param accelerator for QEMU's {@code -accel}
     * @param memory in bytes; what the captured machine had when empty, else 1 GiB
     * @param processors what the captured machine had when empty, else 1
     * @param more options that are handed to QEMU as they are, behind those made here, so that they win
     */
    public record Request(
            Point point,
            Optional<OverlayName> overlay,
            Optional<DiskName> boot,
            String accelerator,
            Optional<Long> memory,
            Optional<Integer> processors,
            List<String> more) {}

    /** Runs the machine on this process's terminal until it ends, and returns QEMU's exit code. */
    public int run(Request request) throws IOException {
        requireQemu();
        Path folder = Files.createTempDirectory("afterimage-boot");
        Path socket = folder.resolve("nbd.sock");
        CountDownLatch over = new CountDownLatch(1);
        try (NbdServer server = NbdServer.start(ServerSettings.on(new NbdUri.Unix(socket)), exports)) {
            return await(start(command(request, server, folder)), over);
        } finally {
            delete(folder);
            over.countDown();
        }
    }

    private static void delete(Path folder) throws IOException {
        try (DirectoryStream<Path> files = Files.newDirectoryStream(folder)) {
            for (Path file : files) {
                Files.deleteIfExists(file);
            }
        }
        Files.delete(folder);
    }

    private List<String> command(Request request, NbdServer server, Path folder) throws IOException {
        CapturedMachine captured = CapturedMachine.of(images.manifest(request.point()).definition());
        // The kernel ends QEMU with the thread that started it, which waits for it; so a killed boot leaves no machine behind.
        List<String> command = new ArrayList<>(List.of(
                "setpriv", "--pdeathsig", "TERM", QEMU,
                "-name", request.point().machine() + "@" + request.point().id(),
                "-accel", request.accelerator(),
                "-m", "size=" + request.memory().or(captured::memory).orElse(1L << 30) / (1L << 20) + "M",
                "-smp", String.valueOf(request.processors().or(captured::processors).orElse(1)),
                "-nodefaults",
                "-no-user-config"));
        command.addAll(new BootFirmware(captured).options(folder, request.more()));
        int bootIndex = 1;
        for (PointDisk disk : inBootOrder(request)) {
            String export = request.overlay()
                    .map(name -> OverlayExports.PREFIX + name)
                    .orElse(request.point().machine() + "/" + disk.name() + "@" + request.point().id());
            command.addAll(List.of(
                    "-drive",
                    "if=none,id=" + disk.name() + (request.overlay().isPresent() ? ",discard=unmap" : ",snapshot=on") + ",format=raw,file="
                            + server.uris(export).getFirst(),
                    "-device",
                    "virtio-blk-pci,drive=" + disk.name() + ",bootindex=" + bootIndex++));
        }
        command.addAll(List.of("-display", "none", "-serial", "mon:stdio"));
        command.addAll(request.more());
        return command;
    }

    private static List<PointDisk> inBootOrder(Request request) {
        List<PointDisk> disks = new ArrayList<>(request.point().disks());
        request.boot().flatMap(request.point()::disk).ifPresent(first -> {
            disks.remove(first);
            disks.addFirst(first);
        });
        return disks;
    }

    private static void requireQemu() throws TargetException {
        Pattern separator = Pattern.compile(File.pathSeparator);
        boolean installed = separator.splitAsStream(System.getenv().getOrDefault("PATH", ""))
                .anyMatch(folder -> Files.isExecutable(Path.of(folder, QEMU)));
        if (!installed) {
            throw new TargetException("To boot a point, " + QEMU + " is needed: install the package qemu-system-x86.");
        }
    }

    private static Process start(List<String> command) throws IOException {
        return new ProcessBuilder(command).inheritIO().start();
    }

    /** Ctrl-C and SIGTERM end the machine, and then this, which clears up before the process goes. */
    private static int await(Process machine, CountDownLatch over) throws IOException {
        Thread ending = new Thread(() -> {
            machine.destroy();
            try {
                over.await(PATIENCE.toSeconds(), TimeUnit.SECONDS);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        });
        Runtime.getRuntime().addShutdownHook(ending);
        try {
            int exitCode = machine.waitFor();
            Runtime.getRuntime().removeShutdownHook(ending);
            return exitCode;
        } catch (IllegalStateException e) {
            // The process is going down; the hook waits for what follows here.
            return machine.exitValue();
        } catch (InterruptedException e) {
            machine.destroy();
            Thread.currentThread().interrupt();
            throw new IOException("interrupted while the machine ran", e);
        }
    }
}
