package io.afterimage.app;

import io.afterimage.block.BlockDevice;
import io.afterimage.block.FileDevice;
import io.afterimage.settings.ImageSource;
import io.afterimage.settings.ImageSource.Format;
import java.io.Closeable;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Optional;

/**
 * An image that is read from its file. A raw one is read as it is; qcow2 through qemu-nbd, which knows the format best.
 *
 * <p>The format is never guessed from the content: a guest can write a qcow2 header into its raw disk, with a file of the host as
 * backing file.
 */
final class OfflineImage implements Closeable {

    private static final byte[] QCOW2_MAGIC = {'Q', 'F', 'I', (byte) 0xfb};

    private final ImageSource source;
    private final BlockDevice device;
    private final Optional<QemuNbd> server;

    private OfflineImage(ImageSource source, BlockDevice device, Optional<QemuNbd> server) {
        this.source = source;
        this.device = device;
        this.server = server;
    }

    static OfflineImage open(ImageSource source) throws IOException {
        Path file = source.file();
        if (!Files.isReadable(file) || Files.isDirectory(file)) {
            throw new SourceException("The image " + file + " "
                    + (Files.exists(file) ? "cannot be read: check its permissions." : "is not there: check the path."));
        }
        if (FileLocks.isOpenForWriting(file)) {
            throw new SourceException("The image " + file + " is in use by a running machine: back that up with --qmp, or stop it first.");
        }
        return switch (format(source)) {
            case RAW -> new OfflineImage(source, FileDevice.openReadOnly(file), Optional.empty());
            case QCOW2 -> openQcow2(source);
        };
    }

    private static OfflineImage openQcow2(ImageSource source) throws IOException {
        QemuNbd server = QemuNbd.serve(source.file(), "qcow2");
        try {
            return new OfflineImage(source, server.connect(), Optional.of(server));
        } catch (IOException | RuntimeException e) {
            server.close();
            throw e;
        }
    }

    private static Format format(ImageSource source) throws IOException {
        if (source.format().isPresent()) {
            return source.format().get();
        }
        String name = source.file().getFileName().toString();
        if (name.endsWith(".qcow2")) {
            return Format.QCOW2;
        }
        if (!name.endsWith(".raw") && Files.isRegularFile(source.file()) && beginsLikeQcow2(source.file())) {
            throw new SourceException("The image " + source.file() + " begins like qcow2 but is not named so, and its own word is not to be trusted: write "
                    + source.disk() + "=qcow2:" + source.file() + " or " + source.disk() + "=raw:" + source.file() + ".");
        }
        return Format.RAW;
    }

    private static boolean beginsLikeQcow2(Path file) throws IOException {
        try (InputStream in = Files.newInputStream(file)) {
            return Arrays.equals(in.readNBytes(QCOW2_MAGIC.length), QCOW2_MAGIC);
        }
    }

    ImageSource source() {
        return source;
    }

    BlockDevice device() {
        return device;
    }

    @Override
    public void close() throws IOException {
        device.close();
        if (server.isPresent()) {
            server.get().close();
        }
    }
}
