package io.afterimage.app;

import io.afterimage.block.BlockDevice;
import io.afterimage.capture.Capture;
import io.afterimage.capture.Progress;
import io.afterimage.capture.SourceDisk;
import io.afterimage.catalog.BackupLease;
import io.afterimage.catalog.Point;
import io.afterimage.image.ImageLibrary;
import io.afterimage.image.Overlay;
import io.afterimage.image.OverlayLibrary;
import io.afterimage.index.ChunkIndex;
import io.afterimage.manifest.DiskMap;
import io.afterimage.manifest.MachineName;
import io.afterimage.manifest.Manifest;
import io.afterimage.manifest.PointId;
import io.afterimage.overlay.OverlayDevice;
import io.afterimage.repository.Immutability;
import io.afterimage.repository.PointWriter;
import io.afterimage.repository.Repository;
import java.io.IOException;
import java.security.SecureRandom;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.TreeMap;

/**
 * Makes a point of an overlay, by storing what was written to it, and removes the overlay. The point is a child of the one that the overlay stands on, has its other
 * disks and its definition, and belongs to the same machine or, as a clone, to another. What it inherits is there: the overlay's hold has kept it
 * since before anybody could collect it, and goes when the point is listed.
 */
public final class CommitOverlay {

    private final Repository repository;
    private final ImageLibrary images;
    private final OverlayLibrary overlays;
    private final ChunkIndex index;
    private final InstantSource clock;
    private final SecureRandom random;

    /** @param index of the repository. All of these stay the caller's to close */
    public CommitOverlay(
            Repository repository, ImageLibrary images, OverlayLibrary overlays, ChunkIndex index, InstantSource clock, SecureRandom random) {
        this.repository = repository;
        this.images = images;
        this.overlays = overlays;
        this.index = index;
        this.clock = clock;
        this.random = random;
    }

    /**
     * Makes the point and returns it.
     *
     * @param as whose point it becomes; that of the base when empty
     * @param immutability what the point's objects are to be under, if it is to be immutable
     * @throws io.afterimage.overlay.OverlayException if the overlay is in use: nothing may be written to it meanwhile
     */
    public Point run(Overlay overlay, Optional<MachineName> as, Optional<Immutability> immutability, Progress progress) throws IOException {
        try (OverlayDevice device = overlays.open(overlay)) {
            Point point = capture(overlay, device, as.orElse(overlay.base().machine()), immutability, progress);
            overlays.discard(overlay, device);
            return point;
        }
    }

    private Point capture(
            Overlay overlay, OverlayDevice device, MachineName machine, Optional<Immutability> immutability, Progress progress)
            throws IOException {
        List<BlockDevice> others = new ArrayList<>();
        try (BackupLease lease = BackupLease.acquire(repository.store(), clock, machine)) {
            Manifest base = images.manifest(overlay.base());
            List<PointId> points = repository.catalog().pointIds(machine);
            Instant now = clock.instant();
            PointId id = PointId.next(points.reversed().stream().findFirst(), now, random);
            List<SourceDisk> disks = new ArrayList<>();
            for (DiskMap disk : base.disks()) {
                if (disk.name().equals(overlay.disk())) {
                    disks.add(SourceDisk.changed(disk.name(), device, device.changes()));
                } else {
                    BlockDevice other = images.open(overlay.base(), disk.name());
                    others.add(other);
                    disks.add(SourceDisk.changed(disk.name(), other, List.of()));
                }
            }
            try (PointWriter writer = new PointWriter(repository, lease, index, Optional.of(base), immutability, random)) {
                return new Capture(machine, id, now, Optional.of(base), new TreeMap<>(base.definition()))
                        .run(repository, writer, disks, progress)
                        .commit();
            }
        } finally {
            for (BlockDevice other : others) {
                other.close();
            }
        }
    }
}
