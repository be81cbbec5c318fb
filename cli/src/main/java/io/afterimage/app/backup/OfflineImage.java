package io.afterimage.app.backup;

import io.afterimage.app.SourceException;
import io.afterimage.app.image.QemuNbd;
import io.afterimage.block.BlockDevice;
import io.afterimage.block.ByteRange;
import io.afterimage.block.FileDevice;
import io.afterimage.nbd.client.RemoteDevice;
import io.afterimage.settings.ImageSource.Format;
import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.List;
import java.util.Optional;

/**
 * An image that is read from its file, read-only. A raw one is read as it is; qcow2 through qemu-nbd, which knows the format best, and whose lock keeps those out who
 * would write to it.
 */
final class OfflineImage implements Closeable {

    private final BlockDevice device;
    private final Optional<QemuNbd> server;
    private final QemuNbd.Offer offer;
    private final Path file;
    /** Since when nobody has written to it. */
    private final FileTime written;

    private OfflineImage(Path file, BlockDevice device, Optional<QemuNbd> server, QemuNbd.Offer offer) throws IOException {
        this.file = file;
        written = Files.getLastModifiedTime(file);
        this.device = device;
        this.server = server;
        this.offer = offer;
    }

    /** @param offer of a qcow2 image only */
    static OfflineImage open(Path file, Format format, QemuNbd.Offer offer) throws IOException {
        if (format == Format.RAW) {
            return new OfflineImage(file, FileDevice.openReadOnly(file), Optional.empty(), offer);
        }
        QemuNbd server = QemuNbd.serve(file, "qcow2", offer);
        try {
            return new OfflineImage(file, server.connect(), Optional.of(server), offer);
        } catch (IOException | RuntimeException e) {
            server.close();
            throw e;
        }
    }

    BlockDevice device() {
        return device;
    }

    /** Throws if somebody has written to it since it was opened: what was read is no state that the disk ever had. */
    void requireUntouched() throws IOException {
        if (server.isEmpty() && Files.isRegularFile(file) && !Files.getLastModifiedTime(file).equals(written)) {
            throw new SourceException("The image " + file + " was written to while it was read: back up a running machine with --qmp or --libvirt, and files of other programs from a snapshot.");
        }
    }

    /** What the bitmap that was asked for has marked. */
    List<ByteRange> dirty() throws IOException {
        return ChangedRanges.flagged((RemoteDevice) device, offer.bitmapContext());
    }

    /** What the first images of the chain hold, or may hold since the next one is shorter. */
    List<ByteRange> inLayers(int above, long baseSize) throws IOException {
        return ChangedRanges.above((RemoteDevice) device, QemuNbd.Offer.DEPTH, above, baseSize);
    }

    @Override
    public void close() throws IOException {
        device.close();
        if (server.isPresent()) {
            server.get().close();
        }
    }
}
