package io.afterimage.app.boot;

import io.afterimage.app.TargetException;
import io.afterimage.app.machine.CapturedMachine;
import io.afterimage.catalog.HeldPoint;
import io.afterimage.catalog.Point;
import io.afterimage.catalog.PointDisk;
import io.afterimage.image.ImageLibrary;
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
import java.util.function.Consumer;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * Starts a virtual machine from a point, with nothing restored first: the disks are served on a private NBD socket. What becomes of what the guest writes is
 * {@linkplain Writes for the user to say}.
 */
public final class BootPoint {

    private static final String QEMU = "qemu-system-x86_64";
    private static final Duration PATIENCE = Duration.ofSeconds(10);

    /** Where in a boot's folder the disks are served. */
    static final String SOCKET = "nbd.sock";

    private final Exports exports;
    private final ImageLibrary images;
    private final Consumer<String> user;

    /**
     * @param exports what the machine's disks are served from: all points, and overlays if it is to boot on some
     * @param user is told in sentences how a disk that moves gets on
     */
    public BootPoint(Exports exports, ImageLibrary images, Consumer<String> user) {
        this.exports = exports;
        this.images = images;
        this.user = user;
    }

    /**
     * How to boot.
     *
     * @param point is listed, or held
     * @param disks all of them, the one to boot from first
     * @param writes what becomes of what the machine writes
     * @param accelerator for QEMU's {@code -accel}
     * @param memory in bytes; what the captured machine had when empty, else 1 GiB
     * @param processors what the captured machine had when empty, else 1
     * @param more options that are handed to QEMU as they are, behind those made here, so that they win
     */
    public record Request(
            HeldPoint point,
            List<DiskName> disks,
            Writes writes,
            String accelerator,
            Optional<Long> memory,
            Optional<Integer> processors,
            List<String> more) {

        public Request {
            disks = List.copyOf(disks);
            more = List.copyOf(more);
        }
    }

    /** All disks of a point, that one first if there is one; else in the machine's order. */
    public static List<DiskName> disks(Point point, Optional<DiskName> boot) {
        List<DiskName> disks = new ArrayList<>(point.disks().stream().map(PointDisk::name).toList());
        boot.filter(disks::remove).ifPresent(disks::addFirst);
        return disks;
    }

    /** Runs the machine on this process's terminal until it ends, and returns QEMU's exit code. */
    public int run(Request request) throws IOException {
        requireQemu();
        Path folder = Files.createTempDirectory("afterimage-boot");
        Path socket = folder.resolve(SOCKET);
        CountDownLatch over = new CountDownLatch(1);
        try (NbdServer server = NbdServer.start(ServerSettings.on(new NbdUri.Unix(socket)), exports)) {
            List<String> command = command(request, server, folder);
            return request.writes() instanceof Writes.Migrated migrated
                    ? new MigratingBoot(migrated, server, folder, user).run(command, machine -> await(machine, over))
                    : await(start(tied(command)), over);
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
        List<String> command = new ArrayList<>(List.of(QEMU));
        command.addAll(new BootOptions(request, captured, server, folder).all());
        return command;
    }

    /** The kernel ends QEMU with the thread that started it, which waits for it; so a killed boot leaves no machine behind. */
    private static List<String> tied(List<String> command) {
        return Stream.concat(Stream.of("setpriv", "--pdeathsig", "TERM"), command.stream()).toList();
    }

    private static void requireQemu() throws TargetException {
        Pattern separator = Pattern.compile(File.pathSeparator);
        boolean installed = separator.splitAsStream(System.getenv().getOrDefault("PATH", ""))
                .anyMatch(folder -> Files.isExecutable(Path.of(folder, QEMU)));
        if (!installed) {
            throw new TargetException("To boot a point, " + QEMU + " is needed: install the package qemu-system-x86.");
        }
    }

    static Process start(List<String> command) throws IOException {
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
