package io.afterimage.app.backup;

import io.afterimage.app.TargetException;
import io.afterimage.block.BlockDevice;
import io.afterimage.capture.Capture;
import io.afterimage.capture.Progress;
import io.afterimage.capture.SourceDisk;
import io.afterimage.catalog.BackupLease;
import io.afterimage.catalog.HeldPoint;
import io.afterimage.catalog.Point;
import io.afterimage.image.ImageLibrary;
import io.afterimage.image.Overlay;
import io.afterimage.image.OverlayLibrary;
import io.afterimage.index.ChunkIndex;
import io.afterimage.manifest.DiskMap;
import io.afterimage.manifest.DiskName;
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
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * Makes one point of the overlays of one machine, by storing what was written to them, and removes them. The point is a child of the one that they stand on, has its other
 * disks and its definition, and belongs to the same machine or, as a clone, to another. What it inherits is there: the overlays' holds have kept it
 * since before anybody could collect it, and go when the point is listed.
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
     * @param chosen one at least, over different disks of one point
     * @param as whose point it becomes; that of the base when empty
     * @param immutability what the point's objects are to be under, if it is to be immutable
     * @throws io.afterimage.overlay.OverlayException if one is in use: nothing may be written to any of them meanwhile
     */
    public Point run(List<Overlay> chosen, Optional<MachineName> as, Optional<Immutability> immutability, Progress progress) throws IOException {
        HeldPoint base = base(chosen);
        Map<Overlay, OverlayDevice> devices = new LinkedHashMap<>();
        try {
            for (Overlay overlay : chosen) {
                devices.put(overlay, overlays.open(overlay));
            }
            Point point = capture(base, devices, as.orElse(base.machine()), immutability, progress);
            for (Overlay overlay : chosen) {
                overlays.discard(overlay, devices.get(overlay));
            }
            return point;
        } finally {
            for (OverlayDevice device : devices.values()) {
                device.close();
            }
        }
    }

    private static HeldPoint base(List<Overlay> chosen) throws TargetException {
        Overlay first = chosen.getFirst();
        Set<DiskName> disks = new HashSet<>();
        for (Overlay overlay : chosen) {
            if (!overlay.base().equals(first.base()) || !disks.add(overlay.disk())) {
                throw new TargetException("The overlays '" + first.name() + "' and '" + overlay.name() + "' stand on " + first.selector() + " and " + overlay.selector()
                        + ", which are not two disks of one point: commit them one after the other.");
            }
        }
        return first.base();
    }

    /** Whose point a clone's first one counts from; its disks keep their names. */
    private static Optional<Point.Base> original(MachineName of, MachineName machine, Manifest base) {
        SortedMap<DiskName, DiskName> disks = new TreeMap<>();
        base.disks().forEach(disk -> disks.put(disk.name(), disk.name()));
        return machine.equals(of) ? Optional.empty() : Optional.of(new Point.Base(of, disks));
    }

    private Point capture(
            HeldPoint point, Map<Overlay, OverlayDevice> devices, MachineName machine, Optional<Immutability> immutability, Progress progress)
            throws IOException {
        Map<DiskName, OverlayDevice> written = new TreeMap<>();
        devices.forEach((overlay, device) -> written.put(overlay.disk(), device));
        List<BlockDevice> others = new ArrayList<>();
        try (BackupLease lease = BackupLease.acquire(repository.store(), clock, machine)) {
            Manifest base = images.manifest(point);
            List<PointId> points = repository.catalog().pointIds(machine);
            Instant now = clock.instant();
            PointId id = PointId.next(points.reversed().stream().findFirst(), now, random);
            List<SourceDisk> disks = new ArrayList<>();
            for (DiskMap disk : base.disks()) {
                OverlayDevice device = written.get(disk.name());
                if (device != null) {
                    disks.add(SourceDisk.changed(disk.name(), device, device.changes()));
                } else {
                    BlockDevice other = images.open(point, disk.name());
                    others.add(other);
                    disks.add(SourceDisk.changed(disk.name(), other, List.of()));
                }
            }
            try (PointWriter writer = new PointWriter(repository, lease, index, Optional.of(base), immutability, random)) {
                return new Capture(machine, id, now, Optional.of(base), new TreeMap<>(base.definition()), original(point.machine(), machine, base))
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
