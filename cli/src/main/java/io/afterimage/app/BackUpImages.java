package io.afterimage.app;

import io.afterimage.capture.Capture;
import io.afterimage.capture.Progress;
import io.afterimage.capture.SourceDisk;
import io.afterimage.catalog.BackupLease;
import io.afterimage.catalog.Point;
import io.afterimage.index.ChunkIndex;
import io.afterimage.manifest.MachineName;
import io.afterimage.manifest.Manifest;
import io.afterimage.manifest.PointId;
import io.afterimage.repository.Immutability;
import io.afterimage.repository.PointWriter;
import io.afterimage.repository.Repository;
import io.afterimage.settings.ImageSource;
import java.io.IOException;
import java.security.SecureRandom;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.TreeMap;

/** A point out of image files or block devices that nobody writes to. They are read whole; what the repository has is not stored again. */
public final class BackUpImages {

    private final Repository repository;
    private final ChunkIndex index;
    private final InstantSource clock;
    private final SecureRandom random;

    /** @param index the repository's, which stays the caller's to close, as the repository does */
    public BackUpImages(Repository repository, ChunkIndex index, InstantSource clock, SecureRandom random) {
        this.repository = repository;
        this.index = index;
        this.clock = clock;
        this.random = random;
    }

    /**
     * Makes the point and returns it.
     *
     * @param immutability what the point's objects are to be under, if it is to be immutable
     */
    public Point run(MachineName machine, List<ImageSource> sources, Optional<Immutability> immutability, Progress progress)
            throws IOException {
        List<OfflineImage> images = new ArrayList<>();
        try (BackupLease lease = BackupLease.acquire(repository.store(), clock, machine)) {
            for (ImageSource source : sources) {
                images.add(OfflineImage.open(source));
            }
            List<PointId> points = repository.catalog().pointIds(machine);
            Optional<Manifest> parent = repository.parent(lease, points.reversed());
            Instant now = clock.instant();
            PointId id = PointId.next(points.reversed().stream().findFirst(), now, random);
            Optional<String> reason = parent.map(_ -> "it was read from a file, where no bitmap tells what has changed");
            List<SourceDisk> disks = images.stream()
                    .map(image -> SourceDisk.whole(image.source().disk(), image.device(), reason))
                    .toList();
            try (PointWriter writer = new PointWriter(repository, lease, index, parent, immutability, random)) {
                Capture capture = new Capture(machine, id, now, parent, new TreeMap<>());
                return capture.run(repository, writer, disks, progress).commit();
            }
        } finally {
            for (OfflineImage image : images) {
                image.close();
            }
        }
    }
}
