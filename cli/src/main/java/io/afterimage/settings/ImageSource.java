package io.afterimage.settings;

import io.afterimage.manifest.DiskName;
import io.afterimage.nbd.protocol.NbdUri;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Optional;

/**
 * A disk to be read from where no machine writes to it, as {@code --image DISK=[FORMAT:]FILE|NBD-URI} says it.
 *
 * @param disk the disk's name in the repository
 * @param place where its bytes are
 */
public record ImageSource(DiskName disk, Place place) {

    /** What the bytes of a file mean. */
    public enum Format {
        RAW,
        QCOW2
    }

    /** Where a disk is read from. */
    public sealed interface Place {}

    /**
     * An image file or a block device.
     *
     * @param format if it was said
     */
    public record LocalFile(Optional<Format> format, Path file) implements Place {}

    /** What an NBD server exports. */
    public record Export(NbdUri uri) implements Place {}

    public static ImageSource parse(String text) {
        int equals = text.indexOf('=');
        if (equals < 1 || equals == text.length() - 1) {
            throw new IllegalArgumentException("'" + text + "' is not an image: write DISK=FILE, such as vda=/srv/web.qcow2.");
        }
        return new ImageSource(new DiskName(text.substring(0, equals)), place(text.substring(equals + 1)));
    }

    private static Place place(String text) {
        if (text.matches("nbds?(\\+unix)?://.*")) {
            return new Export(NbdUri.parse(text));
        }
        for (Format format : Format.values()) {
            String prefix = format.name().toLowerCase(Locale.ROOT) + ":";
            if (text.startsWith(prefix)) {
                return new LocalFile(Optional.of(format), Path.of(text.substring(prefix.length())));
            }
        }
        return new LocalFile(Optional.empty(), Path.of(text));
    }
}
