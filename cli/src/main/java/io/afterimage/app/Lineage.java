package io.afterimage.app;

import io.afterimage.catalog.BackupLease;
import io.afterimage.catalog.Point;
import io.afterimage.manifest.DiskMap;
import io.afterimage.manifest.DiskName;
import io.afterimage.manifest.Manifest;
import java.io.IOException;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * What a new point builds on: the machine's own earlier point, or, for its first one, that of the base image it was launched from, or nothing.
 *
 * @param parent with its disks under the machine's own names
 * @param image present when the parent is a base image's
 * @param base which machine that is, and which of its disks
 */
record Lineage(Optional<Manifest> parent, Optional<BaseImage> image, Optional<Point.Base> base) {

    static final Lineage NONE = new Lineage(Optional.empty(), Optional.empty(), Optional.empty());

    /** The machine's own point where it has one, else the base's. */
    static Lineage of(Optional<Manifest> own, Optional<BaseImage> image, BackupLease lease, Collection<DiskName> disks) throws IOException {
        if (own.isPresent() || image.isEmpty()) {
            return new Lineage(own, Optional.empty(), Optional.empty());
        }
        Point.Base base = image.get().under(disks);
        return new Lineage(Optional.of(image.get().hold(lease, base)), image, Optional.of(base));
    }

    Optional<DiskMap> disk(DiskName name) {
        return parent.flatMap(manifest -> manifest.disk(name));
    }

    /** How many images of a disk's backing chain, its own first, lie above the base image; empty when it does not stand on it, as far as can be told. */
    OptionalInt layersAbove(DiskName name, List<ImageLayer> layers) throws IOException {
        Optional<DiskMap> inherited = disk(name);
        return image.isPresent() && inherited.isPresent()
                ? image.get().layersAbove(layers, inherited.get(), base.orElseThrow().disks().get(name))
                : OptionalInt.empty();
    }
}
