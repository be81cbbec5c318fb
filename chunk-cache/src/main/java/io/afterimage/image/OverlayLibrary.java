package io.afterimage.image;

import io.afterimage.block.BlockDevice;
import io.afterimage.block.ByteRange;
import io.afterimage.block.Extent;
import io.afterimage.block.FileDevice;
import io.afterimage.catalog.CatalogException;
import io.afterimage.catalog.HeldPoint;
import io.afterimage.catalog.LastingHolds;
import io.afterimage.catalog.Point;
import io.afterimage.manifest.DiskName;
import io.afterimage.overlay.FolderLock;
import io.afterimage.overlay.OverlayDevice;
import io.afterimage.overlay.OverlayException;
import io.afterimage.overlay.OverlayException.Reason;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;
import java.util.UUID;
import java.util.function.UnaryOperator;

/**
 * The overlays of this host over points of one repository, a folder each. What an overlay stands on is held in the repository from before the overlay is there
 * until after it has gone, by whichever process; see {@code docs/decisions/0011-overlays-hold-their-base.md}. Overlays of one point share its image's maps and chunks. Thread-safe.
 */
public final class OverlayLibrary {

    private final OverlayFolders folders;
    private final ImageLibrary images;
    private final LastingHolds holds;
    private final InstantSource clock;

    /**
     * Opens the library; nothing is made before the first overlay is.
     *
     * @param folder where this repository's overlays lie
     * @param images stays open, and the caller's to close
     */
    public OverlayLibrary(Path folder, ImageLibrary images, LastingHolds holds, InstantSource clock) {
        folders = new OverlayFolders(folder, holds);
        this.images = images;
        this.holds = holds;
        this.clock = clock;
    }

    /** The overlays that are there, by name; those that cannot be read are left out, and logged. */
    public List<Overlay> list() throws IOException {
        List<Overlay> overlays = new ArrayList<>();
        for (OverlayName name : folders.names()) {
            try {
                overlays.add(find(name));
            } catch (OverlayException e) {
                OverlayFolders.LOG.warn("{}", e.getMessage());
            }
        }
        return overlays;
    }

    /** What the overlay stands on; an {@link OverlayException} of {@link Reason#NO_SUCH_OVERLAY} if there is none of that name. */
    public Overlay find(OverlayName name) throws IOException {
        try {
            return Overlay.parse(name, Files.readAllBytes(folders.folder(name).resolve(OverlayFolders.DESCRIPTOR)));
        } catch (NoSuchFileException e) {
            throw new OverlayException(
                    Reason.NO_SUCH_OVERLAY, "There is no overlay '" + name + "': 'afterimage export --list' shows those that are there.", e);
        }
    }

    /** Bytes that the overlay takes on this host. */
    public long usedBytes(Overlay overlay) throws IOException {
        long used = 0;
        try (FileDevice data = FileDevice.openReadOnly(OverlayDevice.data(folders.folder(overlay.name())))) {
            long at = 0;
            while (at < data.size()) {
                for (Extent extent : data.extents(ByteRange.between(at, data.size()), 1024)) {
                    at = extent.range().end();
                    used += extent.kind() == Extent.Kind.DATA ? extent.range().length() : 0;
                }
            }
        }
        return used;
    }

    /** Makes an overlay over a disk of a point, which is held from now on. */
    public Overlay create(OverlayName name, Point point, DiskName disk, OptionalLong limit) throws IOException {
        long size = point.disk(disk).orElseThrow().size();
        Overlay overlay = new Overlay(name, HeldPoint.of(point), disk, size, limit, UUID.randomUUID(), clock.instant());
        folders.create(overlay, () -> {
            if (!holds.add(overlay.hold(), overlay.base())) {
                throw new CatalogException(
                        CatalogException.Reason.NO_SUCH_POINT,
                        "The point " + point.id() + " of '" + point.machine() + "' has just been forgotten: choose another one.");
            }
        });
        return overlay;
    }

    /** The same with an image that is read as it is. */
    public OverlayDevice open(Overlay overlay) throws IOException {
        return open(overlay, UnaryOperator.identity());
    }

    /**
     * Opens an overlay to be read and written. One at a time has it.
     *
     * @param watch what its image is read through; closes that with itself
     * @throws OverlayException if it is in use, or damaged, or its base is lost
     */
    public OverlayDevice open(Overlay overlay, UnaryOperator<BlockDevice> watch) throws IOException {
        requireHeld(overlay);
        BlockDevice image = watch.apply(images.open(overlay.base(), overlay.disk()));
        try {
            return OverlayDevice.open(folders.folder(overlay.name()), image, overlay.limit().orElse(Long.MAX_VALUE / 2));
        } catch (IOException | RuntimeException e) {
            image.close();
            throw e;
        }
    }

    /** Nobody removes a hold but who removes the overlay; but it lies in a store where people can delete things. */
    private void requireHeld(Overlay overlay) throws IOException {
        if (!holds.isThere(overlay.hold()) && !holds.add(overlay.hold(), overlay.base())) {
            throw new OverlayException(
                    Reason.BASE_LOST,
                    "The point " + overlay.selector() + " that the overlay '" + overlay.name()
                            + "' stands on was forgotten, and what held it was deleted from the repository: give the overlay up with 'afterimage discard "
                            + overlay.name() + "'.");
        }
    }

    /** Removes an overlay, which must not be in use, with all that was written to it. */
    public void discard(OverlayName name) throws IOException {
        Path folder = folders.folder(name);
        if (!Files.isDirectory(folder)) {
            find(name);
        }
        Path gone;
        try (FolderLock _ = FolderLock.take(folder)) {
            gone = folders.retire(name);
        }
        folders.sweep(gone);
    }

    /** The same for one that the caller has open, so that nobody else writes to it before it goes. Closes it. */
    public void discard(Overlay overlay, OverlayDevice open) throws IOException {
        Path gone;
        try (OverlayDevice.Abandoned _ = open.abandon()) {
            gone = folders.retire(overlay.name());
        }
        folders.sweep(gone);
    }
}
