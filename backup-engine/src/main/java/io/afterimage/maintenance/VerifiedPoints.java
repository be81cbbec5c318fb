package io.afterimage.maintenance;

import io.afterimage.block.ByteRange;
import io.afterimage.catalog.Catalog;
import io.afterimage.catalog.CatalogException;
import io.afterimage.catalog.Point;
import io.afterimage.chunk.ChunkAddress;
import io.afterimage.chunk.PackId;
import io.afterimage.keys.BrokenSealException;
import io.afterimage.maintenance.Finding.Touched;
import io.afterimage.manifest.BlockMap;
import io.afterimage.manifest.CorruptManifestException;
import io.afterimage.manifest.DiskMap;
import io.afterimage.manifest.DiskName;
import io.afterimage.manifest.MachineName;
import io.afterimage.manifest.Manifest;
import io.afterimage.manifest.ManifestObjects;
import io.afterimage.manifest.PointId;
import io.afterimage.repository.ChunkReader;
import io.afterimage.repository.Repository;
import io.afterimage.repository.RequestWindow;
import io.afterimage.store.StoreException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Predicate;

/** The points of a verification: reads their descriptors and manifests, notes what is wrong with those, and tells which ranges need which frames. */
final class VerifiedPoints {

    /** As many are in memory at once. */
    private static final int MANIFESTS_AT_ONCE = 4;

    private final Repository repository;
    /** One that has not seen any descriptor yet. */
    private final Catalog catalog;

    private final Optional<DiskName> disk;
    private final List<Point> points = new ArrayList<>();
    private final List<Finding> findings = new ArrayList<>();
    private int looked;

    /** @param disk the one disk that matters; all when empty */
    VerifiedPoints(Repository repository, Optional<DiskName> disk) {
        this.repository = repository;
        this.disk = disk;
        catalog = new Catalog(repository.store(), repository.seal());
    }

    /** Adds all points of the repository. */
    void addAll() throws IOException {
        List<Name> names = new ArrayList<>();
        for (MachineName machine : catalog.machines()) {
            catalog.pointIds(machine).forEach(id -> names.add(new Name(machine, id)));
        }
        addAll(names);
    }

    void add(MachineName machine, PointId id) throws IOException {
        addAll(List.of(new Name(machine, id)));
    }

    private record Name(MachineName machine, PointId id) {}

    /** What has come of reading something: neither, if it is no longer there. */
    private record Read<T>(Optional<T> value, Optional<Finding> finding) {}

    private record Opened(Point point, Manifest manifest) {}

    private void addAll(List<Name> names) throws IOException {
        looked += names.size();
        new RequestWindow(repository.requestsAtOnce()).<Name, Read<Point>>forEach(names, this::descriptor, read -> {
            read.value.ifPresent(points::add);
            read.finding.ifPresent(findings::add);
        });
    }

    private Read<Point> descriptor(Name name) throws IOException {
        String problem;
        try {
            return new Read<>(catalog.find(name.machine, name.id), Optional.empty());
        } catch (CatalogException e) {
            if (e.reason() != CatalogException.Reason.DAMAGED) {
                throw e;
            }
            problem = "it is not the descriptor of this point";
        } catch (BrokenSealException e) {
            problem = "it is not what this repository's key has sealed there";
        } catch (StoreException e) {
            if (!ChunkReader.isDamage(e)) {
                throw e;
            }
            problem = e.problem().text();
        }
        return new Read<>(
                Optional.empty(),
                Optional.of(new Finding(Catalog.key(name.machine, name.id), problem + "; the point cannot be opened", List.of())));
    }

    /** Reads all manifests and gathers what they name. Those of one machine follow each other, and share most of it. */
    NeededFrames frames() throws IOException {
        NeededFrames frames = new NeededFrames();
        List<Point> readable = new ArrayList<>();
        Map<DiskName, BlockMap> before = new HashMap<>();
        new RequestWindow(Math.min(MANIFESTS_AT_ONCE, repository.requestsAtOnce())).<Point, Read<Opened>>forEach(
                points, this::manifest, read -> {
                    read.finding.ifPresent(findings::add);
                    if (read.value.isPresent()) {
                        Manifest manifest = read.value.get().manifest;
                        if (!readable.isEmpty() && !readable.getLast().machine().equals(manifest.machine())) {
                            before.clear();
                        }
                        readable.add(read.value.get().point);
                        for (DiskMap each : disks(manifest)) {
                            BlockMap known = before.getOrDefault(each.name(), BlockMap.empty(0, manifest.chunkSize()));
                            each.map().forEachFrame(known, frames::add);
                            before.put(each.name(), each.map());
                        }
                    }
                });
        points.clear();
        points.addAll(readable);
        return frames;
    }

    private List<DiskMap> disks(Manifest manifest) {
        return manifest.disks().stream().filter(each -> disk.isEmpty() || disk.get().equals(each.name())).toList();
    }

    private Read<Opened> manifest(Point point) throws IOException {
        String problem;
        try {
            Manifest manifest = repository.manifest(point);
            if (manifest.point().equals(point.id()) && manifest.machine().equals(point.machine())) {
                return new Read<>(Optional.of(new Opened(point, manifest)), Optional.empty());
            }
            problem = "it is the manifest of another point";
        } catch (CorruptManifestException e) {
            problem = e.finding();
        } catch (BrokenSealException e) {
            problem = "it is not what this repository's key has sealed there";
        }
        if (!isThere(point)) {
            return new Read<>(Optional.empty(), Optional.empty());
        }
        List<Touched> touched = point.disks().stream()
                .filter(each -> disk.isEmpty() || disk.get().equals(each.name()))
                .filter(each -> each.size() > 0)
                .map(each -> new Touched(point.machine(), point.id(), each.name(), List.of(new ByteRange(0, each.size()))))
                .toList();
        return new Read<>(Optional.empty(), Optional.of(new Finding(ManifestObjects.key(point.machine(), point.id()), problem, touched)));
    }

    /** A point may be forgotten while it is verified; what it alone needs may be gone then. */
    private boolean isThere(Point point) throws IOException {
        return catalog.pointIds(point.machine()).contains(point.id());
    }

    /** Told of each chunk that a point needs of certain packs. */
    interface Visitor {
        void visit(ChunkAddress address, Point point, DiskName disk, ByteRange range);
    }

    /** Walks over the points that are still there, in order, and over their chunks that lie in such packs. */
    void walk(Predicate<PackId> packs, Visitor visitor) throws IOException {
        for (Point point : points) {
            Manifest manifest;
            try {
                manifest = repository.manifest(point);
            } catch (CorruptManifestException e) {
                // It was forgotten, or has been damaged a moment ago.
                continue;
            }
            if (manifest.packs().ids().stream().noneMatch(packs) || !isThere(point)) {
                continue;
            }
            for (DiskMap each : disks(manifest)) {
                BlockMap map = each.map();
                long size = map.chunkSize().bytes();
                for (long chunk = map.next(0, true); chunk < map.chunks(); chunk = map.next(chunk + 1, true)) {
                    ChunkAddress address = map.address(chunk);
                    if (packs.test(address.pack())) {
                        visitor.visit(address, point, each.name(), ByteRange.between(chunk * size, Math.min((chunk + 1) * size, map.diskSize())));
                    }
                }
            }
        }
    }

    /** What is wrong with descriptors and manifests. */
    List<Finding> findings() {
        return findings;
    }

    int count() {
        return looked;
    }
}
