package io.afterimage.app.backup;

import io.afterimage.app.image.ImageLayer;
import io.afterimage.app.machine.DiskOrigins;
import io.afterimage.capture.qemu.CutPlan;
import io.afterimage.catalog.BackupLease;
import io.afterimage.catalog.Point;
import io.afterimage.manifest.DiskMap;
import io.afterimage.manifest.DiskName;
import io.afterimage.manifest.Manifest;
import io.afterimage.manifest.PointId;
import io.afterimage.repository.Repository;
import java.io.IOException;
import java.util.Collection;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.ToIntFunction;

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

    /**
     * The machine's own point to build on: the one since which the changes of the most disks are recorded, the newest of several, else the
     * newest of all.
     *
     * @param points from the earliest to the newest
     * @param newest the newest that can be built upon
     * @param recorded on how many disks the machine has a checkpoint of the point
     */
    static Optional<Manifest> own(
            Repository repository, BackupLease lease, List<PointId> points, Optional<Manifest> newest, ToIntFunction<PointId> recorded)
            throws IOException {
        Map<PointId, Integer> disks = new LinkedHashMap<>();
        points.reversed().forEach(point -> disks.put(point, recorded.applyAsInt(point)));
        List<PointId> told = disks.keySet().stream()
                .filter(point -> disks.get(point) > 0)
                .sorted(Comparator.comparing(disks::get, Comparator.reverseOrder()))
                .toList();
        if (told.isEmpty() || newest.map(Manifest::point).equals(told.stream().findFirst())) {
            return newest;
        }
        return repository.parent(lease, told).or(() -> newest);
    }

    /** What a disk's changes are wanted since; empty when the parent does not have it. */
    Optional<CutPlan.Base> since(DiskName name) {
        return since(name, 0);
    }

    /** The same of a disk some of whose images may lie above the base image. */
    Optional<CutPlan.Base> since(DiskName name, List<ImageLayer> layers) throws IOException {
        return since(name, layersAbove(name, layers).orElse(0));
    }

    private Optional<CutPlan.Base> since(DiskName name, int layersAbove) {
        return disk(name).map(inherited -> new CutPlan.Base(
                parent.orElseThrow().point().hex(),
                base.map(image -> image.disks().getOrDefault(name, name)).orElse(name).text(),
                inherited.size(),
                layersAbove,
                DiskOrigins.libvirtImage(parent.orElseThrow(), name)));
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
