package io.afterimage.image;

import io.afterimage.cache.DiskStatistics;
import io.afterimage.cache.DiskTier;
import io.afterimage.cache.MemoryTier;
import io.afterimage.catalog.HeldPoint;
import io.afterimage.catalog.OpenPoints;
import io.afterimage.catalog.Point;
import io.afterimage.fetch.ChunkFetcher;
import io.afterimage.fetch.FetchSettings;
import io.afterimage.manifest.DiskMap;
import io.afterimage.manifest.DiskName;
import io.afterimage.manifest.Manifest;
import io.afterimage.repository.Repository;
import java.io.Closeable;
import java.io.IOException;
import java.util.Optional;

/**
 * Opens the disks of a repository's points. All images share one cache and one fetcher; images of one point share its maps, and those of a machine what its points
 * have in common.
 * Thread-safe.
 */
public final class ImageLibrary implements Closeable {

    /** Of the heap, for manifests that nobody has open. */
    private static final long KEPT_MANIFESTS = Runtime.getRuntime().maxMemory() / 8;

    private final OpenPoints openPoints;
    private final MemoryTier memory;
    private final Optional<DiskTier> disk;
    private final ChunkFetcher fetcher;
    private final ReadCounters counters = new ReadCounters();
    private final SharedManifests manifests;

    /**
     * @param repository stays open, and the caller's to close
     * @param openPoints where each point is held that has images open; closed with the library
     * @param memory bytes of decoded chunks to keep, in direct memory
     * @param disk frames of this repository on this host; closed with the library
     */
    public ImageLibrary(Repository repository, OpenPoints openPoints, long memory, Optional<DiskTier> disk, FetchSettings settings) {
        manifests = new SharedManifests(repository, KEPT_MANIFESTS);
        this.openPoints = openPoints;
        this.memory = new MemoryTier(memory, repository.chunkSize());
        this.disk = disk;
        fetcher = new ChunkFetcher(repository, this.memory, disk, settings);
    }

    /** The point's manifest, checked whole. */
    public Manifest manifest(Point point) throws IOException {
        return checked(manifests.get(point));
    }

    /** The manifest of a point that may have been forgotten, and that the caller holds. */
    public Manifest manifest(HeldPoint point) throws IOException {
        return checked(manifests.get(point));
    }

    private static Manifest checked(Manifest manifest) throws IOException {
        manifest.checkMaps();
        return manifest;
    }

    /** The disk as it was at a point that may have been forgotten, and that the caller holds until the image is closed. */
    public PointInTimeImage open(HeldPoint point, DiskName disk) throws IOException {
        return image(manifests.get(point), disk, () -> {});
    }

    /** For one who is about to look for a point, and to {@link #open(Point, DiskName, ManifestAhead) open} it. */
    public ManifestAhead ahead() {
        return manifests.ahead();
    }

    /** The disk as it was at the point. The name is one of the point's disks. The point is held until the image is closed. */
    public PointInTimeImage open(Point point, DiskName disk) throws IOException {
        try (ManifestAhead none = ahead()) {
            return open(point, disk, none);
        }
    }

    /** The same, by a manifest that may be on its way already. */
    public PointInTimeImage open(Point point, DiskName disk, ManifestAhead ahead) throws IOException {
        OpenPoints.Opening opening = openPoints.open(point);
        try {
            return image(manifests.get(point, ahead), disk, opening);
        } catch (IOException | RuntimeException e) {
            opening.close();
            throw e;
        }
    }

    private PointInTimeImage image(Manifest manifest, DiskName disk, OpenPoints.Opening opening) {
        DiskMap found = manifest.disk(disk).orElseThrow(() -> new IllegalArgumentException(manifest.point() + " has no disk " + disk));
        return new PointInTimeImage(manifest, found.map(), memory, fetcher.lane(), counters, opening);
    }

    /** What was read so far, and from where. */
    public ReadStatistics statistics() {
        return new ReadStatistics(counters.hits(), counters.misses(), memory.statistics(), disk.map(DiskTier::statistics).orElse(DiskStatistics.NONE), fetcher.statistics());
    }

    @Override
    public void close() {
        openPoints.close();
        fetcher.close();
        disk.ifPresent(DiskTier::close);
    }
}
