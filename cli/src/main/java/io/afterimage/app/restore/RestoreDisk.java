package io.afterimage.app.restore;

import io.afterimage.app.TargetException;
import io.afterimage.app.boot.Writes;
import io.afterimage.app.image.QemuImage;
import io.afterimage.app.image.QemuNbd;
import io.afterimage.block.BlockCopier;
import io.afterimage.block.BlockDevice;
import io.afterimage.block.FileDevice;
import io.afterimage.capture.Progress;
import io.afterimage.capture.libvirt.RestoredDomain;
import io.afterimage.capture.qemu.Checkpoint;
import io.afterimage.capture.qemu.CheckpointBitmap;
import io.afterimage.catalog.CatalogException;
import io.afterimage.catalog.Point;
import io.afterimage.catalog.Selector;
import io.afterimage.image.ImageLibrary;
import io.afterimage.manifest.DiskName;
import io.afterimage.nbd.client.ClientOptions;
import io.afterimage.nbd.client.NbdClient;
import io.afterimage.nbd.protocol.NbdUri;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Optional;

/**
 * Writes a disk of a point out: to a new sparse file, raw or qcow2, over a block device, or into an NBD export. A qcow2 file gets the point's
 * checkpoint with it: a machine that starts on it has its next backup begin where the point ended.
 */
public final class RestoreDisk {

    private final ImageLibrary images;
    private final String repository;

    /** @param repository the id of the one that the images are of */
    public RestoreDisk(ImageLibrary images, String repository) {
        this.images = images;
        this.repository = repository;
    }

    /** The one disk that the selector means in this point. */
    public static DiskName disk(Point point, Selector selector) throws CatalogException {
        if (selector.disk().isPresent()) {
            return selector.disk().get();
        }
        if (point.disks().size() != 1) {
            throw new CatalogException(
                    CatalogException.Reason.AMBIGUOUS,
                    "The point has " + point.disks().size() + " disks: say which, such as " + point.machine() + "/"
                            + point.disks().getFirst().name() + "@" + selector.point() + ".");
        }
        return point.disks().getFirst().name();
    }

    /**
     * Restores to {@code target}: an NBD URI, a block device, or a file, which must not be there yet unless {@code overwrite}. A file that is named
     * {@code .qcow2} becomes qcow2.
     *
     * @return where on this host it is then
     */
    public Optional<RestoredDomain.Source> run(Point point, DiskName disk, String target, boolean overwrite, Progress progress) throws IOException {
        try (BlockDevice image = images.open(point, disk)) {
            progress.total(image.size());
            if (isNbd(target)) {
                toNbd(image, NbdUri.parse(target), progress);
                return Optional.empty();
            }
            if (Files.exists(Path.of(target)) && !Files.isRegularFile(Path.of(target))) {
                toDevice(image, Path.of(target), progress);
                return Optional.of(new RestoredDomain.Source(Path.of(target), true, "raw"));
            }
            boolean qcow2 = target.endsWith(".qcow2");
            toFile(Path.of(target), overwrite, file -> {
                if (qcow2) {
                    writeQcow2(image, file, checkpoint(point).on(disk.text()), images.manifest(point).chunkSize().bytes(), progress);
                } else {
                    writeRaw(image, file, progress);
                }
            });
            return Optional.of(new RestoredDomain.Source(Path.of(target), false, qcow2 ? "qcow2" : "raw"));
        }
    }

    private static boolean isNbd(String target) {
        return target.startsWith("nbd:") || target.startsWith("nbd+") || target.startsWith("nbds");
    }

    private static void toNbd(BlockDevice image, NbdUri uri, Progress progress) throws IOException {
        try (BlockDevice target = NbdClient.connect(uri, ClientOptions.DEFAULT.withConnections(4))) {
            copyOver(image, target, uri.toString(), progress);
        }
    }

    private static void toDevice(BlockDevice image, Path device, Progress progress) throws IOException {
        if (Files.isDirectory(device)) {
            throw new TargetException(device + " is a folder: name a file in it.");
        }
        try (FileDevice target = FileDevice.openWritable(device)) {
            copyOver(image, target, device.toString(), progress);
        }
    }

    private static void copyOver(BlockDevice image, BlockDevice target, String name, Progress progress) throws IOException {
        if (!target.canWrite()) {
            throw new TargetException(name + " is read-only: choose another target.");
        }
        if (target.size() < image.size()) {
            throw new TargetException(name + " has " + target.size() + " bytes and the disk has " + image.size() + ": choose a larger target.");
        }
        BlockCopier.DEFAULT.copy(image, target, progress::advance);
    }

    /** Under another name until it is whole, so that a file of that name is never half of a disk. */
    private static void toFile(Path file, boolean overwrite, Writer writer) throws IOException {
        if (Files.exists(file) && !overwrite) {
            throw new TargetException("The file " + file + " is there already: choose another name, or overwrite it with --force.");
        }
        Path parent = file.toAbsolutePath().getParent();
        if (!Files.isDirectory(parent)) {
            throw new TargetException("There is no folder " + parent + ": make it first.");
        }
        Path partial = parent.resolve(file.getFileName() + ".partial");
        Files.deleteIfExists(partial);
        try {
            writer.write(partial);
            Files.move(partial, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        } finally {
            Files.deleteIfExists(partial);
        }
    }

    @FunctionalInterface
    private interface Writer {
        void write(Path file) throws IOException;
    }

    private static void writeRaw(BlockDevice image, Path file, Progress progress) throws IOException {
        try (FileDevice target = FileDevice.create(file, image.size())) {
            BlockCopier.DEFAULT.copy(image, target, progress::advance);
        }
    }

    /** The bitmap comes last, so that it records nothing of the restoring itself. */
    private static void writeQcow2(BlockDevice image, Path file, CheckpointBitmap checkpoint, long granularity, Progress progress) throws IOException {
        QemuImage.create(file, image.size());
        try (QemuNbd server = QemuNbd.serveWritable(file, "qcow2");
                BlockDevice target = server.connect()) {
            BlockCopier.DEFAULT.copy(image, target, progress::advance);
        }
        QemuImage.inspect(file).add(checkpoint, granularity);
    }

    private Checkpoint checkpoint(Point point) {
        return new Checkpoint(repository.substring(0, 8), point.id().hex());
    }
}
