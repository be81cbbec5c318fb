package io.afterimage.app.export;

import io.afterimage.catalog.Catalog;
import io.afterimage.catalog.Point;
import io.afterimage.image.ImageLibrary;
import io.afterimage.manifest.DiskName;
import io.afterimage.manifest.PointId;
import io.afterimage.nbd.server.Contexts;
import io.afterimage.nbd.server.StatusSource;
import java.io.IOException;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.Map;

/** A {@link ChangedSince} for each other point of the machine, as they are when first asked for: what costs a listing shall not be the price of a read. Thread-safe. */
final class ChangedContexts implements Contexts {

    private final Catalog catalog;
    private final ImageLibrary images;
    private final Point point;
    private final DiskName disk;
    private Map<String, StatusSource> sources;

    ChangedContexts(Catalog catalog, ImageLibrary images, Point point, DiskName disk) {
        this.catalog = catalog;
        this.images = images;
        this.point = point;
        this.disk = disk;
    }

    @Override
    public synchronized Collection<String> names() throws IOException {
        if (sources == null) {
            Map<String, StatusSource> found = new LinkedHashMap<>();
            for (PointId other : catalog.pointIds(point.machine())) {
                if (!other.equals(point.id())) {
                    found.put(ChangedSince.PREFIX + other, new ChangedSince(catalog, images, point, disk, other));
                }
            }
            sources = found;
        }
        return sources.keySet();
    }

    @Override
    public synchronized StatusSource source(String name) {
        return sources.get(name);
    }
}
