package io.afterimage.fuse.tree;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import io.afterimage.catalog.Catalog;
import io.afterimage.catalog.Point;
import io.afterimage.image.ImageLibrary;
import io.afterimage.manifest.MachineName;
import io.afterimage.manifest.PointId;
import java.io.IOException;
import java.util.Optional;

/** The contents of points that were looked at lately. Thread-safe. */
final class PointContents {

    private static final int KEPT_BYTES = 64 << 20;

    /** Of a content beside its documents. */
    private static final int OWN_WEIGHT = 4096;

    private final Catalog catalog;
    private final ImageLibrary images;
    private final Cache<PointId, PointContent> contents = Caffeine.newBuilder()
            .maximumWeight(KEPT_BYTES)
            .weigher((PointId _, PointContent content) -> OWN_WEIGHT + content.weight())
            .build();

    PointContents(Catalog catalog, ImageLibrary images) {
        this.catalog = catalog;
        this.images = images;
    }

    /** The point's descriptor; empty if it was forgotten before anybody read it. */
    Optional<Point> point(MachineName machine, PointId id) throws IOException {
        return catalog.find(machine, id);
    }

    /** What its manifest tells. */
    PointContent content(Point point) throws IOException {
        PointContent known = contents.getIfPresent(point.id());
        if (known == null) {
            known = PointContent.load(images, point);
            contents.put(point.id(), known);
        }
        return known;
    }
}
