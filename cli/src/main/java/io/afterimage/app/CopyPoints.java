package io.afterimage.app;

import io.afterimage.capture.Capture;
import io.afterimage.capture.Progress;
import io.afterimage.capture.SourceDisk;
import io.afterimage.catalog.BackupLease;
import io.afterimage.catalog.Point;
import io.afterimage.catalog.PointDisk;
import io.afterimage.image.ImageLibrary;
import io.afterimage.index.ChunkIndex;
import io.afterimage.manifest.CorruptManifestException;
import io.afterimage.manifest.DiskMap;
import io.afterimage.manifest.MachineName;
import io.afterimage.manifest.Manifest;
import io.afterimage.manifest.PointId;
import io.afterimage.profile.BootProfiles;
import io.afterimage.profile.FoundProfile;
import io.afterimage.repository.Immutability;
import io.afterimage.repository.PointWriter;
import io.afterimage.repository.Repository;
import java.io.IOException;
import java.security.SecureRandom;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.TreeMap;

/**
 * Copies points into another repository, which may have another chunk size, another key or none: every chunk is verified as it is
 * read, and encoded anew. A point keeps its id, its time and its machine's definition, and is an increment of the newest older point of the
 * machine that both repositories have, or of its base image's point if they have that, so that only what differs between those two is read and only what is new is stored. What is
 * copied already is left alone; a copy that is cut off is taken up by the next.
 */
public final class CopyPoints {

    private final Repository from;
    private final ImageLibrary images;
    private final Repository to;
    private final ChunkIndex index;
    private final Optional<Immutability> immutability;
    private final InstantSource clock;
    private final SecureRandom random;

    /**
     * @param images of the first repository
     * @param index of the second one. All four stay the caller's to close
     * @param immutability what the objects of the copies are to be under, if they are to be immutable; those of the originals may be or not
     */
    public CopyPoints(
            Repository from,
            ImageLibrary images,
            Repository to,
            ChunkIndex index,
            Optional<Immutability> immutability,
            InstantSource clock,
            SecureRandom random) {
        this.from = from;
        this.images = images;
        this.to = to;
        this.index = index;
        this.immutability = immutability;
        this.clock = clock;
        this.random = random;
    }

    /** Copies those of the points that are not there; all are of one machine. Returns those that were copied, as they are there, oldest first. */
    public List<Point> run(MachineName machine, List<Point> points, Progress progress) throws IOException {
        List<Point> copied = new ArrayList<>();
        for (Point point : points) {
            // A lease for each point: it holds on to the parent, which need not stay for the points after this one.
            try (BackupLease lease = BackupLease.acquire(to.store(), clock, machine)) {
                if (to.catalog().find(machine, point.id()).isEmpty()) {
                    copied.add(copy(point, lease, progress));
                }
            }
        }
        if (!copied.isEmpty()) {
            copyProfiles(copied.getLast());
        }
        return copied;
    }

    /** The copies boot as the originals do. What the other repository has seen of boots itself is worth more. */
    private void copyProfiles(Point point) throws IOException {
        BootProfiles here = new BootProfiles(from);
        BootProfiles there = new BootProfiles(to);
        for (PointDisk disk : point.disks()) {
            Optional<FoundProfile> found = here.nearest(point.machine(), point.id(), disk.name());
            if (found.isPresent() && there.nearest(point.machine(), point.id(), disk.name()).isEmpty()) {
                there.put(point.machine(), disk.name(), found.get().profile());
            }
        }
    }

    private Point copy(Point point, BackupLease lease, Progress progress) throws IOException {
        Optional<Manifest> own = to.parent(lease, commonBefore(point));
        Optional<Point.Base> tree = own.isEmpty() && point.parent().isPresent() ? point.base() : Optional.empty();
        Optional<Manifest> root = tree.isPresent()
                ? to.parent(lease, tree.get().machine(), List.of(point.parent().get()))
                : Optional.empty();
        Optional<Manifest> parent = own.or(() -> root.map(manifest -> manifest.renamed(tree.orElseThrow().disks())));
        Optional<Manifest> original = parent.isPresent() ? original(parent.get()) : Optional.empty();
        Optional<Manifest> base = root.isPresent() ? original.map(manifest -> manifest.renamed(tree.orElseThrow().disks())) : original;
        Manifest manifest = images.manifest(point);
        List<SourceDisk> disks = new ArrayList<>();
        try (PointWriter writer = new PointWriter(to, lease, index, parent, immutability, random)) {
            for (DiskMap disk : manifest.disks()) {
                disks.add(source(point, disk, base.flatMap(older -> older.disk(disk.name()))));
            }
            return new Capture(
                            point.machine(), point.id(), point.time(), parent, new TreeMap<>(manifest.definition()),
                            root.flatMap(_ -> tree))
                    .run(to, writer, disks, progress)
                    .captured(point.consistency(), point.group())
                    .commit();
        } finally {
            for (SourceDisk disk : disks) {
                disk.device().close();
            }
        }
    }

    private SourceDisk source(Point point, DiskMap disk, Optional<DiskMap> before) throws IOException {
        return before.isPresent()
                ? SourceDisk.changed(disk.name(), images.open(point, disk.name()), disk.map().differences(before.get().map()))
                : SourceDisk.whole(disk.name(), images.open(point, disk.name()), Optional.empty());
    }

    /** Older points of the machine that both repositories have, newest first. */
    private List<PointId> commonBefore(Point point) throws IOException {
        List<PointId> here = from.catalog().pointIds(point.machine());
        return to.catalog().pointIds(point.machine()).reversed().stream()
                .filter(id -> id.compareTo(point.id()) < 0 && here.contains(id))
                .toList();
    }

    /** What a point that was copied is the copy of; nothing if that has been forgotten or damaged since, and the next point is to be compared whole. */
    private Optional<Manifest> original(Manifest copy) throws IOException {
        Optional<Point> point = from.catalog().find(copy.machine(), copy.point());
        try {
            return point.isPresent() ? Optional.of(images.manifest(point.get())) : Optional.empty();
        } catch (CorruptManifestException e) {
            return Optional.empty();
        }
    }
}
