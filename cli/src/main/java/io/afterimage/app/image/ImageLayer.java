package io.afterimage.app.image;

import java.nio.file.Path;
import java.util.Optional;

/**
 * One image of a backing chain: an overlay, or what overlays stand on.
 *
 * @param format its driver in QEMU
 * @param file empty when it is not a file of this host
 * @param size of the disk that it shows, in bytes
 */
public record ImageLayer(String format, Optional<Path> file, long size) {

    /**
     * What QEMU tells of an image.
     *
     * @param name an absolute path, a URL, a {@code json:} description
     */
    public static ImageLayer of(String format, String name, long size) {
        return new ImageLayer(format, name.startsWith("/") ? Optional.of(Path.of(name)) : Optional.empty(), size);
    }
}
