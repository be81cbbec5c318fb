package io.afterimage.app;

import io.afterimage.catalog.Catalog;
import io.afterimage.catalog.CatalogException;
import io.afterimage.catalog.Point;
import io.afterimage.catalog.Selector;
import io.afterimage.image.Overlay;
import io.afterimage.image.OverlayLibrary;
import io.afterimage.image.OverlayName;
import io.afterimage.overlay.OverlayException;
import io.afterimage.overlay.OverlayException.Reason;
import java.io.IOException;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * Finds the overlay that a machine is to boot on, or makes it: the first boot of that name begins at the point that the selector means, the next goes on where that one
 * has ended, whatever is the latest point by then.
 */
public final class BootOverlay {

    private final Catalog catalog;
    private final OverlayLibrary overlays;

    public BootOverlay(Catalog catalog, OverlayLibrary overlays) {
        this.catalog = catalog;
        this.overlays = overlays;
    }

    /** The overlay, over the disk of a point that is listed and has no other disk. */
    public Overlay run(Selector selector, OverlayName name) throws IOException {
        Optional<Overlay> found = find(name);
        if (found.isPresent()) {
            requireSame(selector, found.get());
            return found.get();
        }
        Point point = catalog.resolve(selector);
        if (point.disks().size() != 1) {
            throw new TargetException("The point " + point.id() + " of '" + point.machine() + "' has " + point.disks().size()
                    + " disks and an overlay is over one, so the machine would lose what it writes to the others: "
                    + "make an overlay of each with 'afterimage export', and start QEMU on what 'afterimage serve --writable' offers.");
        }
        return overlays.create(name, point, point.disks().getFirst().name(), OptionalLong.empty());
    }

    /** The point that it stands on. */
    public Point base(Overlay overlay) throws IOException {
        return catalog.find(overlay.base().machine(), overlay.base().point())
                .orElseThrow(() -> new CatalogException(
                        CatalogException.Reason.NO_SUCH_POINT,
                        "The point " + overlay.selector() + " that the overlay '" + overlay.name()
                                + "' stands on has been forgotten: 'afterimage commit " + overlay.name() + "' makes a point to boot of it."));
    }

    private Optional<Overlay> find(OverlayName name) throws IOException {
        try {
            return Optional.of(overlays.find(name));
        } catch (OverlayException e) {
            if (e.reason() == Reason.NO_SUCH_OVERLAY) {
                return Optional.empty();
            }
            throw e;
        }
    }

    private void requireSame(Selector selector, Overlay overlay) throws IOException {
        boolean same = selector.machine().equals(overlay.base().machine())
                && selector.disk().map(overlay.disk()::equals).orElse(true)
                && (selector.point() instanceof Selector.Which.Latest || catalog.resolve(selector).id().equals(overlay.base().point()));
        if (!same) {
            throw new TargetException("The overlay '" + overlay.name() + "' stands on " + overlay.selector() + " and not on " + selector
                    + ": choose another name, or end it with 'afterimage discard' or 'commit'.");
        }
    }
}
