package io.afterimage.settings;

import io.afterimage.manifest.DiskName;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Optional;

/**
 * A disk to be read from a file, as {@code --image DISK=[FORMAT:]FILE} says it.
 *
 * @param disk the disk's name in the repository
 * @param format {@code raw} or {@code qcow2}, if it was said
 * @param file an image file or a block device
 */
public record ImageSource(DiskName disk, Optional<Format> format, Path file) {

    /** What the bytes of the file mean. */
    public enum Format {
        RAW,
        QCOW2
    }

    public static ImageSource parse(String text) {
        int equals = text.indexOf('=');
        if (equals < 1 || equals == text.length() - 1) {
            throw new IllegalArgumentException("'" + text + "' is not an image: write DISK=FILE, such as vda=/srv/web.qcow2.");
        }
        DiskName disk = new DiskName(text.substring(0, equals));
        String file = text.substring(equals + 1);
        for (Format format : Format.values()) {
            String prefix = format.name().toLowerCase(Locale.ROOT) + ":";
            if (file.startsWith(prefix)) {
                return new ImageSource(disk, Optional.of(format), Path.of(file.substring(prefix.length())));
            }
        }
        return new ImageSource(disk, Optional.empty(), Path.of(file));
    }
}
