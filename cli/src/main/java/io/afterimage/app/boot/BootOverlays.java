package io.afterimage.app.boot;

import io.afterimage.app.TargetException;
import io.afterimage.catalog.Catalog;
import io.afterimage.catalog.CatalogException;
import io.afterimage.catalog.Point;
import io.afterimage.catalog.PointDisk;
import io.afterimage.catalog.Selector;
import io.afterimage.image.Overlay;
import io.afterimage.image.OverlayLibrary;
import io.afterimage.image.OverlayName;
import io.afterimage.manifest.DiskName;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.TreeMap;

/**
 * Finds the overlays that a machine is to boot on, or makes them: the first boot of that name begins at the point that the selector means, the next goes on where that one
 * has ended, whatever is the latest point by then. The overlay of a machine with one disk has the name itself; of several, each has the name and its disk's,
 * such as {@code trial-vda}.
 */
public final class BootOverlays {

    private final Catalog catalog;
    private final OverlayLibrary overlays;

    public BootOverlays(Catalog catalog, OverlayLibrary overlays) {
        this.catalog = catalog;
        this.overlays = overlays;
    }

    /**
     * What to boot.
     *
     * @param names one for each disk of the point
     */
    public record Chosen(Point point, Map<DiskName, OverlayName> names) {}

    /** The overlays of that name, all over the disks of one point that is listed. */
    public Chosen run(Selector selector, OverlayName name) throws IOException {
        Map<DiskName, Overlay> found = find(name);
        Point point = found.isEmpty() ? catalog.resolve(selector) : base(selector, found);
        requireComplete(point, found, name);
        Map<DiskName, OverlayName> names = new TreeMap<>();
        for (PointDisk disk : point.disks()) {
            Overlay overlay = found.get(disk.name());
            OverlayName its = overlay != null ? overlay.name() : name(name, point, disk.name());
            if (overlay == null) {
                overlays.create(its, point, disk.name(), OptionalLong.empty());
            }
            names.put(disk.name(), its);
        }
        return new Chosen(point, names);
    }

    private static OverlayName name(OverlayName name, Point point, DiskName disk) throws TargetException {
        String text = point.disks().size() == 1 ? name.text() : name + "-" + disk;
        if (!OverlayName.isValid(text)) {
            throw new TargetException("The overlay of the disk " + disk + " would be called '" + text + "', which is too long: choose a shorter name.");
        }
        return new OverlayName(text);
    }

    private Map<DiskName, Overlay> find(OverlayName name) throws IOException {
        Map<DiskName, Overlay> found = new TreeMap<>();
        for (Overlay overlay : overlays.list()) {
            if (overlay.name().equals(name)) {
                return Map.of(overlay.disk(), overlay);
            }
            if (overlay.name().text().equals(name + "-" + overlay.disk())) {
                found.put(overlay.disk(), overlay);
            }
        }
        return found;
    }

    /** The point that they stand on. */
    private Point base(Selector selector, Map<DiskName, Overlay> found) throws IOException {
        for (Overlay overlay : found.values()) {
            requireSame(selector, overlay, found.size() == 1);
        }
        Overlay first = found.values().iterator().next();
        for (Overlay overlay : found.values()) {
            if (!overlay.base().equals(first.base())) {
                throw new TargetException("The overlays '" + first.name() + "' and '" + overlay.name() + "' stand on different points, " + first.selector() + " and "
                        + overlay.selector() + ", and are no one machine's: choose another name, or end one with 'afterimage discard'.");
            }
        }
        return catalog.find(first.base().machine(), first.base().point())
                .orElseThrow(() -> new CatalogException(
                        CatalogException.Reason.NO_SUCH_POINT,
                        "The point " + first.selector() + " that the overlay '" + first.name()
                                + "' stands on has been forgotten: 'afterimage commit " + first.name() + "' makes a point to boot of it."));
    }

    /** What was written to one disk is worth nothing without what was written to the others. */
    private void requireComplete(Point point, Map<DiskName, Overlay> found, OverlayName name) throws IOException {
        Optional<DiskName> bare = point.disks().stream().map(PointDisk::name).filter(disk -> !found.containsKey(disk)).findFirst();
        for (Overlay overlay : bare.isPresent() ? List.copyOf(found.values()) : List.<Overlay>of()) {
            // Overlays that were made, and not written to, are those of a first boot that was cut off.
            if (overlay.name().equals(name) || overlays.usedBytes(overlay) > 0) {
                throw new TargetException("The overlay '" + overlay.name() + "' has what a machine wrote to the disk " + overlay.disk() + ", and the disk " + bare.get()
                        + " of its point " + point.id() + " has none: choose another name, or end it with 'afterimage discard' or 'commit'.");
            }
        }
    }

    private void requireSame(Selector selector, Overlay overlay, boolean alone) throws IOException {
        boolean same = selector.machine().equals(overlay.base().machine())
                && (!alone || selector.disk().map(overlay.disk()::equals).orElse(true))
                && (selector.point() instanceof Selector.Which.Latest || catalog.resolve(selector).id().equals(overlay.base().point()));
        if (!same) {
            throw new TargetException("The overlay '" + overlay.name() + "' stands on " + overlay.selector() + " and not on " + selector
                    + ": choose another name, or end it with 'afterimage discard' or 'commit'.");
        }
    }
}
