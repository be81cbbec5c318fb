package io.afterimage.app;

import io.afterimage.assembly.Assembly;
import io.afterimage.capture.Capture;
import io.afterimage.capture.Progress;
import io.afterimage.capture.SourceDisk;
import io.afterimage.catalog.BackupLease;
import io.afterimage.catalog.Point;
import io.afterimage.index.ChunkIndex;
import io.afterimage.manifest.MachineName;
import io.afterimage.manifest.Manifest;
import io.afterimage.manifest.PointId;
import io.afterimage.repository.PointWriter;
import io.afterimage.repository.Repository;
import io.afterimage.settings.ImageSource;
import java.io.IOException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.TreeMap;

/** A point out of image files or block devices that nobody writes to. They are read whole; what the repository has is not stored again. */
public final class BackUpImages {

    private final Assembly assembly;
    private final Repository repository;

    public BackUpImages(Assembly assembly, Repository repository) {
        this.assembly = assembly;
        this.repository = repository;
    }

    /** Makes the point and returns it. */
    public Point run(MachineName machine, List<ImageSource> sources, Progress progress) throws IOException {
        List<OfflineImage> images = new ArrayList<>();
        try (BackupLease lease = BackupLease.acquire(repository.store(), assembly.clock(), machine)) {
            for (ImageSource source : sources) {
                images.add(OfflineImage.open(source));
            }
            Optional<Point> latest = repository.catalog().latest(machine);
            Optional<Manifest> parent = latest.isPresent() ? Optional.of(repository.manifest(latest.get())) : Optional.empty();
            Instant now = assembly.clock().instant();
            Instant time = latest.isPresent() && !latest.get().id().time().isBefore(now)
                    ? latest.get().id().time().plusMillis(1)
                    : now;
            Optional<String> reason = parent.map(_ -> "it was read from a file, where no bitmap tells what has changed");
            List<SourceDisk> disks = images.stream()
                    .map(image -> SourceDisk.whole(image.source().disk(), image.device(), reason))
                    .toList();
            try (ChunkIndex index = assembly.index(repository);
                    PointWriter writer = new PointWriter(repository, lease, index, parent, assembly.random())) {
                Capture capture = new Capture(machine, PointId.at(time, assembly.random()), time, parent, new TreeMap<>());
                return capture.run(repository, writer, disks, progress).commit();
            }
        } finally {
            for (OfflineImage image : images) {
                image.close();
            }
        }
    }
}
