package io.afterimage.app.export;

import io.afterimage.block.ByteRange;
import io.afterimage.catalog.Catalog;
import io.afterimage.catalog.Point;
import io.afterimage.image.ImageLibrary;
import io.afterimage.manifest.DiskMap;
import io.afterimage.manifest.DiskName;
import io.afterimage.manifest.PointId;
import io.afterimage.nbd.protocol.StatusExtent;
import io.afterimage.nbd.server.StatusSource;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * The NBD metadata context {@code x-afterimage:changed-since/<point>}: flag 1 where a disk may differ from the same disk at another
 * point of the machine, whichever is older. Answered from the two maps, which are compared when first asked for. Thread-safe.
 */
final class ChangedSince implements StatusSource {

    static final String PREFIX = "x-afterimage:changed-since/";

    private static final long CHANGED = 1;

    private final Catalog catalog;
    private final ImageLibrary images;
    private final Point point;
    private final DiskName disk;
    private final PointId other;
    private List<ByteRange> changes;

    ChangedSince(Catalog catalog, ImageLibrary images, Point point, DiskName disk, PointId other) {
        this.catalog = catalog;
        this.images = images;
        this.point = point;
        this.disk = disk;
        this.other = other;
    }

    @Override
    public List<StatusExtent> status(ByteRange range, int limit) throws IOException {
        List<StatusExtent> extents = new ArrayList<>();
        long position = range.offset();
        for (ByteRange change : changes()) {
            ByteRange part = change.intersect(range);
            if (part.isEmpty()) {
                continue;
            }
            if (position < part.offset()) {
                extents.add(new StatusExtent(ByteRange.between(position, part.offset()), 0));
            }
            extents.add(new StatusExtent(part, CHANGED));
            position = part.end();
        }
        if (position < range.end()) {
            extents.add(new StatusExtent(ByteRange.between(position, range.end()), 0));
        }
        return extents.subList(0, Math.min(limit, extents.size()));
    }

    private synchronized List<ByteRange> changes() throws IOException {
        if (changes == null) {
            DiskMap now = images.manifest(point).disk(disk).orElseThrow();
            Optional<Point> then = catalog.find(point.machine(), other);
            Optional<DiskMap> before = then.isPresent() ? images.manifest(then.get()).disk(disk) : Optional.empty();
            changes = before.isPresent() ? now.map().differences(before.get().map()) : List.of(new ByteRange(0, now.size()));
        }
        return changes;
    }
}
