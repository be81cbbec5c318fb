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

    private final Repository repository;
    private final Optional<DiskName> disk;
    private final List<Point> points = new ArrayList<>();
    private final List<Finding> findings = new ArrayList<>();
    private int looked;

    /** @param disk the one disk that matters; all when empty */
    VerifiedPoints(Repository repository, Optional<DiskName> disk) {
        this.repository = repository;
        this.disk = disk;
    }

    /** Adds all points of the repository. */
    void addAll() throws IOException {
        for (MachineName machine : repository.catalog().machines()) {
            for (PointId id : repository.catalog().pointIds(machine)) {
                add(machine, id);
            }
        }
    }

    void add(MachineName machine, PointId id) throws IOException {
        looked++;
        try {
            repository.catalog().find(machine, id).ifPresent(points::add);
        } catch (CatalogException e) {
            if (e.reason() != CatalogException.Reason.DAMAGED) {
                throw e;
            }
            findings.add(new Finding(Catalog.key(machine, id), "it is not the descriptor of this point, which cannot be opened", List.of()));
        } catch (BrokenSealException e) {
            findings.add(new Finding(Catalog.key(machine, id), "it is not what this repository's key has sealed there; the point cannot be opened", List.of()));
        } catch (StoreException e) {
            if (!ChunkReader.isDamage(e)) {
                throw e;
            }
            findings.add(new Finding(Catalog.key(machine, id), e.problem().text(), List.of()));
        }
    }

    /** Reads all manifests and gathers what they name. Those of one machine follow each other, and share most of it. */
    NeededFrames frames() throws IOException {
        NeededFrames frames = new NeededFrames();
        Map<DiskName, BlockMap> before = new HashMap<>();
        MachineName machine = null;
        for (Point point : List.copyOf(points)) {
            if (!point.machine().equals(machine)) {
                before.clear();
                machine = point.machine();
            }
            Optional<Manifest> manifest = manifest(point);
            if (manifest.isEmpty()) {
                points.remove(point);
                continue;
            }
            for (DiskMap each : disks(manifest.get())) {
                BlockMap map = each.map();
                BlockMap base = before.getOrDefault(each.name(), BlockMap.empty(0, map.chunkSize()));
                map.forEachFrame(base, frames::add);
                before.put(each.name(), map);
            }
        }
        return frames;
    }

    private List<DiskMap> disks(Manifest manifest) {
        return manifest.disks().stream().filter(each -> disk.isEmpty() || disk.get().equals(each.name())).toList();
    }

    private Optional<Manifest> manifest(Point point) throws IOException {
        String problem;
        try {
            Manifest manifest = repository.manifest(point);
            if (manifest.point().equals(point.id()) && manifest.machine().equals(point.machine())) {
                return Optional.of(manifest);
            }
            problem = "it is the manifest of another point";
        } catch (CorruptManifestException e) {
            problem = e.finding();
        } catch (BrokenSealException e) {
            problem = "it is not what this repository's key has sealed there";
        }
        List<Touched> touched = point.disks().stream()
                .filter(each -> disk.isEmpty() || disk.get().equals(each.name()))
                .filter(each -> each.size() > 0)
                .map(each -> new Touched(point.machine(), point.id(), each.name(), List.of(new ByteRange(0, each.size()))))
                .toList();
        if (isThere(point)) {
            findings.add(new Finding(ManifestObjects.key(point.machine(), point.id()), problem, touched));
        }
        return Optional.empty();
    }

    /** A point may be forgotten while it is verified; what it alone needs may be gone then. */
    private boolean isThere(Point point) throws IOException {
        return repository.catalog().pointIds(point.machine()).contains(point.id());
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
