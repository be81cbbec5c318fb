package io.afterimage.app.backup;

import io.afterimage.app.SourceException;
import io.afterimage.app.image.ImageLayer;
import io.afterimage.app.image.QemuNbd;
import io.afterimage.block.BlockDevice;
import io.afterimage.block.ByteRange;
import io.afterimage.capture.Comparison;
import io.afterimage.catalog.BackupLease;
import io.afterimage.catalog.Point;
import io.afterimage.index.ChunkIndex;
import io.afterimage.manifest.DiskMap;
import io.afterimage.manifest.DiskName;
import io.afterimage.manifest.Manifest;
import io.afterimage.repository.Repository;
import io.afterimage.settings.ImageSource.Format;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.TreeMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The image that a machine was launched from, as a point of the repository has it: what the machine's first point builds on. That a disk
 * stands on it is believed of files that were {@linkplain SeenFiles seen} to be it; others are read whole, once, and compared.
 */
public final class BaseImage {

    private static final Logger LOG = LoggerFactory.getLogger(BaseImage.class);

    private final Repository repository;
    private final Comparison comparison;
    private final SeenFiles seen;
    private final Point point;
    private final Optional<DiskName> disk;

    /**
     * @param point the base's
     * @param disk which of its disks the machine's stand on; when empty the one of the same name, or the only one
     */
    public BaseImage(Repository repository, ChunkIndex index, Path seen, Point point, Optional<DiskName> disk) {
        this.repository = repository;
        comparison = new Comparison(repository, index);
        this.seen = new SeenFiles(seen);
        this.point = point;
        this.disk = disk;
    }

    Point point() {
        return point;
    }

    /** Which of the base's disks each of these stands on, if it stands on any. */
    Point.Base under(Collection<DiskName> disks) {
        var names = new TreeMap<DiskName, DiskName>();
        for (DiskName name : disks) {
            if (disk.isPresent()) {
                names.put(name, disk.get());
            } else if (point.disk(name).isPresent()) {
                names.put(name, name);
            } else if (point.disks().size() == 1) {
                names.put(name, point.disks().getFirst().name());
            }
        }
        return new Point.Base(point.machine(), names);
    }

    /** The base's manifest, kept as long as the lease lives, with its disks under the machine's names. */
    Manifest hold(BackupLease lease, Point.Base under) throws IOException {
        return repository.parent(lease, point.machine(), List.of(point.id()))
                .orElseThrow(() -> new SourceException("The base " + point.machine() + "@" + point.id()
                        + " is damaged, or has just been forgotten: 'afterimage verify " + point.machine() + "' tells; name another one."))
                .renamed(under.disks());
    }

    /**
     * How many images of a chain lie above the one that is the base: what they hold is what the disk differs by.
     *
     * @param layers the disk's own image first
     * @param inherited the disk in {@link #hold}
     * @return empty when none below the first is, as far as can be told
     */
    OptionalInt layersAbove(List<ImageLayer> layers, DiskMap inherited, DiskName baseDisk) throws IOException {
        for (int above = 1; above < layers.size(); above++) {
            if (layers.get(above).size() == inherited.size() && isBase(layers.subList(above, layers.size()), inherited, baseDisk)) {
                return OptionalInt.of(above);
            }
        }
        return OptionalInt.empty();
    }

    private boolean isBase(List<ImageLayer> layers, DiskMap inherited, DiskName baseDisk) throws IOException {
        Optional<SeenFiles.Stamp> before = SeenFiles.stamp(layers);
        if (before.isPresent() && seen.contains(before.get(), point.machine(), point.id(), baseDisk)) {
            return true;
        }
        ImageLayer top = layers.getFirst();
        Optional<Format> format = format(top);
        if (format.isEmpty() || top.file().isEmpty()) {
            return false;
        }
        LOG.info("Comparing {} with its point {}", top.file().get(), point.id());
        try (OfflineImage image = OfflineImage.open(top.file().get(), format.get(), QemuNbd.Offer.NOTHING)) {
            BlockDevice device = image.device();
            if (comparison.firstDifference(device, inherited.map(), List.of(new ByteRange(0, device.size()))).isPresent()) {
                return false;
            }
        } catch (SourceException e) {
            LOG.info("It cannot be told whether {} is the base: {}", top.file().get(), e.getMessage());
            return false;
        }
        return remember(before, layers, baseDisk);
    }

    /** Whether the files are still what they were when the reading began; only then is anything proven. */
    private boolean remember(Optional<SeenFiles.Stamp> before, List<ImageLayer> layers, DiskName baseDisk) throws IOException {
        Optional<SeenFiles.Stamp> after = SeenFiles.stamp(layers);
        if (before.isPresent() && before.equals(after)) {
            seen.add(before.get(), point.machine(), point.id(), baseDisk);
        }
        return before.isEmpty() || before.equals(after);
    }

    private static Optional<Format> format(ImageLayer layer) {
        return Map.of("raw", Format.RAW, "qcow2", Format.QCOW2).entrySet().stream()
                .filter(entry -> entry.getKey().equals(layer.format().toLowerCase(Locale.ROOT)))
                .map(Map.Entry::getValue)
                .findFirst();
    }
}
