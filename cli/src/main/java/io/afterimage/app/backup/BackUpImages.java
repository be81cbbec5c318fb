package io.afterimage.app.backup;

import io.afterimage.app.SourceException;
import io.afterimage.app.machine.DiskOrigins;
import io.afterimage.capture.Capture;
import io.afterimage.capture.Progress;
import io.afterimage.capture.SourceDisk;
import io.afterimage.capture.UnchangedCheck;
import io.afterimage.catalog.BackupLease;
import io.afterimage.catalog.Point;
import io.afterimage.catalog.Selector;
import io.afterimage.index.ChunkIndex;
import io.afterimage.manifest.MachineName;
import io.afterimage.manifest.Manifest;
import io.afterimage.manifest.PointId;
import io.afterimage.repository.Immutability;
import io.afterimage.repository.PointWriter;
import io.afterimage.repository.Repository;
import io.afterimage.settings.ChangedContext;
import io.afterimage.settings.ImageSource;
import io.afterimage.store.StoreException;
import java.io.IOException;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.stream.Stream;

/**
 * A point out of disks that nobody writes to: image files, block devices, NBD exports. They are read whole, unless there is
 * somebody to say what has changed: a file that has not been written to since this host read it, a checkpoint in a qcow2 file, the base image that it stands on, a metadata context that the user vouches for.
 * What the repository has is not stored again.
 */
public final class BackUpImages {

    private final Repository repository;
    private final ChunkIndex index;
    private final Path seen;
    private final InstantSource clock;
    private final SecureRandom random;

    /**
     * @param index the repository's, which stays the caller's to close, as the repository does
     * @param seen where this host notes which files it has read whole
     */
    public BackUpImages(Repository repository, ChunkIndex index, Path seen, InstantSource clock, SecureRandom random) {
        this.repository = repository;
        this.index = index;
        this.seen = seen;
        this.clock = clock;
        this.random = random;
    }

    /**
     * What to back up.
     *
     * @param base what the machine was launched from; counts for its first point
     * @param changed where NBD servers tell what has changed
     * @param checkUnchanged the share of what is said not to have changed that is read all the same
     * @param immutability what the point's objects are to be under, if it is to be immutable
     */
    public record Request(
            MachineName machine,
            List<ImageSource> sources,
            Optional<BaseImage> base,
            Optional<ChangedContext> changed,
            Optional<Double> checkUnchanged,
            Optional<Immutability> immutability) {

        /** Whatever tells of changes by itself, and no doubts. */
        public Request(MachineName machine, List<ImageSource> sources, Optional<Immutability> immutability) {
            this(machine, sources, Optional.empty(), Optional.empty(), Optional.empty(), immutability);
        }
    }

    /** Makes the point and returns it. */
    public Point run(Request request, Progress progress) throws IOException {
        OfflineSources sources = OfflineSources.inspect(request.sources(), repository, new SeenFiles(seen));
        try (BackupLease lease = BackupLease.acquire(repository.store(), clock, request.machine())) {
            List<PointId> points = repository.catalog().pointIds(request.machine());
            Lineage lineage = Lineage.of(own(request, lease, points, sources), request.base(), lease, sources.names());
            Instant now = clock.instant();
            PointId id = PointId.next(points.reversed().stream().findFirst(), now, random);
            Capture capture = new Capture(request.machine(), id, now, lineage.parent(), definition(lineage), lineage.base());
            OfflineCheckpoints checkpoints = sources.beginCheckpoints(id);
            Point point;
            try {
                point = store(request, capture, lease, lineage, sources, progress);
            } catch (IOException | RuntimeException e) {
                if (!(e instanceof StoreException failure) || failure.outcome() != StoreException.Outcome.AMBIGUOUS) {
                    checkpoints.failed();
                }
                throw e;
            }
            checkpoints.committed();
            sources.remember(point);
            return point;
        }
    }

    /** Which devices the disks were when the machine last ran: so they keep their names when it runs again. */
    private static SortedMap<String, String> definition(Lineage lineage) {
        SortedMap<String, String> definition = new TreeMap<>();
        lineage.parent()
                .filter(_ -> lineage.base().isEmpty())
                .map(parent -> parent.definition().get(DiskOrigins.DOCUMENT))
                .ifPresent(document -> definition.put(DiskOrigins.DOCUMENT, document));
        return definition;
    }

    /** When this returns nobody holds the images any more. */
    private Point store(
            Request request, Capture capture, BackupLease lease, Lineage lineage, OfflineSources sources, Progress progress) throws IOException {
        try (sources;
                PointWriter writer = new PointWriter(repository, lease, index, lineage.parent(), request.immutability(), random)) {
            List<SourceDisk> disks = sources.open(lineage, request.changed()).stream().map(SourceDevice::over).toList();
            Capture.Sealed sealed = capture.run(repository, writer, doubt(request, disks, lineage, sources), progress);
            sources.requireUntouched();
            return sealed.commit();
        }
    }

    /** The machine's own point to build on: the one that the user named, else the newest that an image has the checkpoint of, else the newest. */
    private Optional<Manifest> own(Request request, BackupLease lease, List<PointId> points, OfflineSources sources) throws IOException {
        if (request.changed().isPresent()) {
            Selector since = Selector.parse(request.machine() + "@" + request.changed().get().since());
            PointId point = repository.catalog().resolve(since).id();
            return Optional.of(repository.parent(lease, List.of(point))
                    .orElseThrow(() -> new SourceException("The point " + point + " is damaged, and no other can build on it: leave out --changed-context.")));
        }
        Stream<PointId> recorded = points.reversed().stream().filter(sources::haveCheckpoint);
        return repository.parent(lease, Stream.concat(recorded, points.reversed().stream()).distinct().toList());
    }

    private List<SourceDisk> doubt(Request request, List<SourceDisk> disks, Lineage lineage, OfflineSources sources) throws IOException {
        UnchangedCheck check = UnchangedCheck.of(request.checkUnchanged(), repository, index, random);
        List<SourceDisk> checked = new ArrayList<>();
        for (SourceDisk disk : disks) {
            checked.add(check.check(disk, lineage.parent(), sources.areRecorded(disk.name())));
        }
        return checked;
    }
}
