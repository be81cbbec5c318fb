package io.afterimage.app.backup;

import io.afterimage.app.SourceException;
import io.afterimage.app.image.FileLocks;
import io.afterimage.app.image.ImageLayer;
import io.afterimage.app.image.QemuImage;
import io.afterimage.manifest.DiskName;
import io.afterimage.settings.ImageSource.Format;
import io.afterimage.settings.ImageSource.LocalFile;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * A disk in an image file or on a block device that no machine writes to, as it is found before it is read.
 *
 * <p>The format is never guessed from the content: a guest can write a qcow2 header into its raw disk, with a file of the host as
 * backing file.
 *
 * @param layers the file itself, and what it stands on
 * @param qcow2 empty when it is raw
 */
record OfflineDisk(DiskName name, Path file, Format format, List<ImageLayer> layers, Optional<QemuImage> qcow2) {

    private static final byte[] QCOW2_MAGIC = {'Q', 'F', 'I', (byte) 0xfb};
    private static final long SECTOR = 512;

    static OfflineDisk inspect(DiskName name, LocalFile source) throws IOException {
        Path file = source.file();
        if (!Files.isReadable(file) || Files.isDirectory(file)) {
            throw new SourceException("The image " + file + " "
                    + (Files.exists(file) ? "cannot be read: check its permissions." : "is not there: check the path."));
        }
        if (FileLocks.isOpenForWriting(file)) {
            throw new SourceException("The image " + file + " is in use by a running machine: back that up with --qmp, or stop it first.");
        }
        Format format = format(name, source);
        if (format == Format.QCOW2) {
            QemuImage image = QemuImage.inspect(file);
            return new OfflineDisk(name, file, format, image.layers(), Optional.of(image));
        }
        return new OfflineDisk(name, file, format, List.of(raw(file)), Optional.empty());
    }

    /** As QEMU would see it: in whole sectors. */
    private static ImageLayer raw(Path file) throws IOException {
        long size = Files.isRegularFile(file) ? Math.ceilDiv(Files.size(file), SECTOR) * SECTOR : 0;
        return new ImageLayer(Format.RAW.name().toLowerCase(Locale.ROOT), Optional.of(file.toAbsolutePath()), size);
    }

    private static Format format(DiskName disk, LocalFile source) throws IOException {
        if (source.format().isPresent()) {
            return source.format().get();
        }
        String name = source.file().getFileName().toString();
        if (name.endsWith(".qcow2")) {
            return Format.QCOW2;
        }
        if (!name.endsWith(".raw") && Files.isRegularFile(source.file()) && beginsLikeQcow2(source.file())) {
            throw new SourceException("The image " + source.file() + " begins like qcow2 but is not named so, and its own word is not to be trusted: write "
                    + disk + "=qcow2:" + source.file() + " or " + disk + "=raw:" + source.file() + ".");
        }
        return Format.RAW;
    }

    private static boolean beginsLikeQcow2(Path file) throws IOException {
        try (InputStream in = Files.newInputStream(file)) {
            return Arrays.equals(in.readNBytes(QCOW2_MAGIC.length), QCOW2_MAGIC);
        }
    }
}
