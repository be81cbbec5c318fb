package io.afterimage.app.guest;

import io.afterimage.app.export.PointExports;
import io.afterimage.catalog.Catalog;
import io.afterimage.catalog.Point;
import io.afterimage.catalog.PointDisk;
import io.afterimage.files.FilePath;
import io.afterimage.files.FileTree;
import io.afterimage.guestfs.Appliance;
import io.afterimage.guestfs.AttachedDisk;
import io.afterimage.guestfs.GuestException;
import io.afterimage.guestfs.GuestException.Reason;
import io.afterimage.guestfs.Volume;
import io.afterimage.image.ImageLibrary;
import io.afterimage.manifest.DiskName;
import io.afterimage.nbd.protocol.NbdUri;
import io.afterimage.nbd.server.NbdServer;
import io.afterimage.nbd.server.ServerSettings;
import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/**
 * The files in a point's disks, with nothing restored first: the disks are served on a private NBD socket to an appliance that mounts
 * their file systems. When this process is told to end, the appliance ends and what was made for it is removed. For one thread.
 */
public final class GuestFiles implements Closeable {

    private static final Duration CLEARING_UP = Duration.ofSeconds(10);

    private final Point point;
    private final List<DiskName> disks;
    private final Path folder;
    private final CountDownLatch closed = new CountDownLatch(1);
    private final Thread ending = new Thread(this::end);
    private NbdServer server;
    private Appliance appliance;
    private List<Volume> volumes;

    /**
     * How to run the appliance.
     *
     * @param accelerator QEMU's
     * @param patience for each thing that it is asked
     */
    public record Settings(String accelerator, Duration patience) {}

    /** Where a file is: in which volume, and where there. */
    public record Place(Volume volume, FilePath path) {}

    private GuestFiles(Point point, Optional<DiskName> disk) throws IOException {
        this.point = point;
        disks = disk.map(List::of).orElseGet(() -> point.disks().stream().map(PointDisk::name).toList());
        folder = Files.createTempDirectory("afterimage-files");
    }

    /** Attaches the disk, or all disks of the point, as a volume may take several. */
    public static GuestFiles open(Catalog catalog, ImageLibrary images, Point point, Optional<DiskName> disk, Settings settings)
            throws IOException {
        GuestFiles guest = new GuestFiles(point, disk);
        try {
            guest.start(new PointExports(catalog, images), settings);
            return guest;
        } catch (IOException | RuntimeException e) {
            guest.close();
            throw e;
        }
    }

    private void start(PointExports exports, Settings settings) throws IOException {
        Runtime.getRuntime().addShutdownHook(ending);
        Path socket = folder.resolve("nbd.sock");
        server = NbdServer.start(ServerSettings.on(new NbdUri.Unix(socket)), exports);
        List<AttachedDisk> attached = disks.stream()
                .map(disk -> new AttachedDisk(disk.text(), socket, point.machine() + "/" + disk + "@" + point.id()))
                .toList();
        Path own = Files.createDirectory(applianceFolder());
        appliance = Appliance.start(attached, new Appliance.Settings(settings.accelerator(), settings.patience(), own));
    }

    private Path applianceFolder() {
        return folder.resolve("appliance");
    }

    /** All volumes: partitions, logical volumes, disks without a partition table. */
    public List<Volume> volumes() throws GuestException {
        if (volumes == null) {
            volumes = appliance.volumes();
        }
        return volumes;
    }

    /** Finds {@code VOLUME/path}; with a single disk a partition needs no disk's name before it. */
    public Place find(String place) throws GuestException {
        String trimmed = place.startsWith("/") ? place.substring(1) : place;
        record Match(Volume volume, String name) {}
        Match best = volumes().stream()
                .flatMap(volume -> names(volume).map(name -> new Match(volume, name)))
                .filter(match -> trimmed.equals(match.name) || trimmed.startsWith(match.name + "/"))
                .max(Comparator.comparingInt(match -> match.name.length()))
                .orElseThrow(() -> new GuestException(
                        Reason.NOT_FOUND,
                        "There is no volume '" + trimmed.replaceFirst("(?s)/.*", "") + "' in " + point.machine() + "@" + point.id()
                                + ": there are " + String.join(", ", volumes.stream().map(Volume::name).toList()) + "."));
        return new Place(best.volume, FilePath.parse(trimmed.substring(best.name.length())));
    }

    private Stream<String> names(Volume volume) {
        boolean shortened = disks.size() == 1 && volume.kind() == Volume.Kind.PARTITION;
        return shortened
                ? Stream.of(volume.name(), volume.name().substring(disks.getFirst().text().length() + 1))
                : Stream.of(volume.name());
    }

    /** The files of a volume; the tree that was opened before ends. */
    public FileTree tree(Volume volume) throws IOException {
        return appliance.open(volume);
    }

    private void end() {
        long deadline = System.nanoTime() + CLEARING_UP.toNanos();
        try {
            // Again and again, since one that starts may not have got to its QEMU; the process cannot end while the library is at work.
            do {
                Appliance.kill(applianceFolder());
            } while (!closed.await(200, TimeUnit.MILLISECONDS) && System.nanoTime() < deadline);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    @Override
    public void close() throws IOException {
        if (closed.getCount() == 0) {
            return;
        }
        try {
            if (appliance != null) {
                appliance.close();
            }
            if (server != null) {
                server.close();
            }
            try (Stream<Path> left = Files.walk(folder)) {
                for (Path path : left.sorted(Comparator.reverseOrder()).toList()) {
                    Files.deleteIfExists(path);
                }
            }
        } finally {
            closed.countDown();
            try {
                Runtime.getRuntime().removeShutdownHook(ending);
            } catch (IllegalStateException _) {
                // The process is going down, and the hook has waited for this.
            }
        }
    }
}
