package io.afterimage.image;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import io.afterimage.cache.MemoryTier;
import io.afterimage.catalog.HeldPoint;
import io.afterimage.catalog.OpenPoints;
import io.afterimage.catalog.Point;
import io.afterimage.fetch.ChunkFetcher;
import io.afterimage.manifest.BlockMap;
import io.afterimage.manifest.DiskName;
import io.afterimage.manifest.Manifest;
import io.afterimage.manifest.PointId;
import io.afterimage.repository.Repository;
import java.io.Closeable;
import java.io.IOException;

/**
 * Opens the disks of a repository's points. All images share one cache and one fetcher; images of one point share its maps.
 * Thread-safe.
 */
public final class ImageLibrary implements Closeable {

    /** Manifests kept for the next image of the same point. */
    private static final int KEPT_MANIFESTS = 64;

    private final Repository repository;
    private final OpenPoints openPoints;
    private final ChunkFetcher fetcher;
    private final Cache<PointId, Manifest> manifests =
            Caffeine.newBuilder().maximumSize(KEPT_MANIFESTS).build();

    /**
     * @param repository stays open, and the caller's to close
     * @param openPoints where each point is held that has images open; closed with the library
     * @param memory bytes of decoded chunks to keep
     */
    public ImageLibrary(Repository repository, OpenPoints openPoints, long memory) {
        this.repository = repository;
        this.openPoints = openPoints;
        fetcher = new ChunkFetcher(repository, new MemoryTier(memory));
    }

    /** The point's manifest. */
    public Manifest manifest(Point point) throws IOException {
        Manifest manifest = manifests.getIfPresent(point.id());
        if (manifest == null) {
            manifest = repository.manifest(point);
            manifests.put(point.id(), manifest);
        }
        return manifest;
    }

    /** The manifest of a point that may have been forgotten, and that the caller holds. */
    public Manifest manifest(HeldPoint point) throws IOException {
        Manifest manifest = manifests.getIfPresent(point.point());
        if (manifest == null) {
            manifest = repository.manifest(point);
            manifests.put(point.point(), manifest);
        }
        return manifest;
    }

    /** The disk as it was at a point that may have been forgotten, and that the caller holds until the image is closed. */
    public PointInTimeImage open(HeldPoint point, DiskName disk) throws IOException {
        BlockMap map = manifest(point)
                .disk(disk)
                .orElseThrow(() -> new IllegalArgumentException(point.point() + " has no disk " + disk))
                .map();
        return new PointInTimeImage(map, fetcher, () -> {});
    }

    /** The disk as it was at the point. The name is one of the point's disks. The point is held until the image is closed. */
    public PointInTimeImage open(Point point, DiskName disk) throws IOException {
        OpenPoints.Opening opening = openPoints.open(point);
        try {
            BlockMap map = manifest(point)
                    .disk(disk)
                    .orElseThrow(() -> new IllegalArgumentException(point.id() + " has no disk " + disk))
                    .map();
            return new PointInTimeImage(map, fetcher, opening);
        } catch (IOException | RuntimeException e) {
            opening.close();
            throw e;
        }
    }

    @Override
    public void close() {
        openPoints.close();
        fetcher.close();
    }
}
