package io.afterimage.image;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import io.afterimage.catalog.HeldPoint;
import io.afterimage.catalog.Point;
import io.afterimage.manifest.DiskMap;
import io.afterimage.manifest.MachineName;
import io.afterimage.manifest.Manifest;
import io.afterimage.manifest.PointId;
import io.afterimage.repository.Repository;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Manifests, each in memory once: fetched by the first who opens its point, shared by all who have it open, and kept a while for the next. What two points of a machine have in
 * common, which is most of their maps, is there once too. Thread-safe.
 */
final class SharedManifests {

    private static final Logger LOG = LoggerFactory.getLogger(SharedManifests.class);

    static {
        // Whoever opens the first point of a process shall not wait for it.
        Thread.ofPlatform().daemon().name("prepare").start(() -> {
            try {
                Repository.prepare();
            } catch (RuntimeException | LinkageError e) {
                LOG.debug("the first point could not be prepared for, which whoever opens one will be told of", e);
            }
        });
    }

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

    /** The point's manifest, its maps not {@linkplain Manifest#checkMaps checked}. Whoever goes on using it, or its maps, holds on to it. */
    Manifest get(Point point) throws IOException {
        return get(HeldPoint.of(point), () -> repository.openManifest(point));
    }

    /** For one who does not have the point yet, and is about to {@link #get(Point, ManifestAhead) get} its manifest. */
    ManifestAhead ahead() {
        return new ManifestAhead(repository, name -> open.getIfPresent(name.point()) != null || fetching.containsKey(name.point()));
    }

    /** As {@link #get(Point)}, of what may be on its way already. */
    Manifest get(Point point, ManifestAhead ahead) throws IOException {
        HeldPoint held = HeldPoint.of(point);
        return get(held, () -> {
            Optional<byte[]> object = ahead.of(held);
            return object.isPresent() ? repository.openManifest(held, object.get()) : repository.openManifest(point);
        });
    }

    /** The same of a point that may have been forgotten. */
    Manifest get(HeldPoint point) throws IOException {
        return get(point, () -> repository.openManifest(point));
    }

    private Manifest get(HeldPoint point, Callable<Manifest> source) throws IOException {
        Manifest known = open.getIfPresent(point.point());
        if (known != null) {
            recent.put(point.point(), known);
            return known;
        }
        FutureTask<Manifest> own = new FutureTask<>(() -> fetch(point, source));
        FutureTask<Manifest> others = fetching.putIfAbsent(point.point(), own);
        if (others != null) {
            return await(others);
        }
        try {
            own.run();
            return await(own);
        } finally {
            fetching.remove(point.point(), own);
        }
    }

    private Manifest fetch(HeldPoint point, Callable<Manifest> source) throws Exception {
        Manifest known = open.getIfPresent(point.point());
        Manifest manifest = known != null ? known : sharing(source.call(), latest.getIfPresent(point.machine()));
        open.put(point.point(), manifest);
        recent.put(point.point(), manifest);
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
