package io.afterimage.image;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import io.afterimage.catalog.Point;
import io.afterimage.manifest.DiskMap;
import io.afterimage.manifest.MachineName;
import io.afterimage.manifest.Manifest;
import io.afterimage.manifest.PointId;
import io.afterimage.repository.Repository;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;

/**
 * Manifests, each in memory once: fetched by the first who opens its point, shared by all who have it open, and kept a while for the next. What two points of a machine have in
 * common, which is most of their maps, is there once too. Thread-safe.
 */
final class SharedManifests {

    private final Repository repository;
    /** What anybody has open. */
    private final Cache<PointId, Manifest> open = Caffeine.newBuilder().weakValues().build();
    /** What is kept though nobody may have it open. */
    private final Cache<PointId, Manifest> recent;
    /** Of each machine the manifest that was fetched last. */
    private final Cache<MachineName, Manifest> latest = Caffeine.newBuilder().weakValues().build();
    private final Map<PointId, FutureTask<Manifest>> fetching = new ConcurrentHashMap<>();

    /** @param memory bytes of manifests to keep that nobody has open */
    SharedManifests(Repository repository, long memory) {
        this.repository = repository;
        recent = Caffeine.newBuilder()
                .maximumWeight(memory)
                .weigher((PointId _, Manifest manifest) -> Math.clamp(memory(manifest), 1, Integer.MAX_VALUE))
                .build();
    }

    private static long memory(Manifest manifest) {
        return manifest.disks().stream().mapToLong(disk -> disk.map().memory()).sum();
    }

    /** The point's manifest. Whoever goes on using it, or its maps, holds on to it. */
    Manifest get(Point point) throws IOException {
        Manifest known = open.getIfPresent(point.id());
        if (known != null) {
            recent.put(point.id(), known);
            return known;
        }
        FutureTask<Manifest> own = new FutureTask<>(() -> fetch(point));
        FutureTask<Manifest> others = fetching.putIfAbsent(point.id(), own);
        if (others != null) {
            return await(others);
        }
        try {
            own.run();
            return await(own);
        } finally {
            fetching.remove(point.id(), own);
        }
    }

    private Manifest fetch(Point point) throws IOException {
        Manifest known = open.getIfPresent(point.id());
        Manifest manifest = known != null ? known : sharing(repository.manifest(point), latest.getIfPresent(point.machine()));
        open.put(point.id(), manifest);
        recent.put(point.id(), manifest);
        latest.put(point.machine(), manifest);
        return manifest;
    }

    private static Manifest sharing(Manifest manifest, Manifest other) {
        if (other == null) {
            return manifest;
        }
        List<DiskMap> disks = manifest.disks().stream()
                .map(disk -> other.disk(disk.name())
                        .map(same -> new DiskMap(disk.name(), disk.map().sharing(same.map()), disk.changed()))
                        .orElse(disk))
                .toList();
        return new Manifest(
                manifest.point(), manifest.machine(), manifest.parent(), manifest.chunkSize(), manifest.packs(), disks, manifest.definition());
    }

    private static Manifest await(FutureTask<Manifest> fetching) throws IOException {
        try {
            return fetching.get();
        } catch (ExecutionException e) {
            switch (e.getCause()) {
                case IOException failure -> throw failure;
                case RuntimeException defect -> throw defect;
                default -> throw new IOException("a manifest could not be taken in", e.getCause());
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted while a manifest was fetched", e);
        }
    }
}
