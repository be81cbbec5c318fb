package io.afterimage.fuse.tree;

import io.afterimage.catalog.Point;
import io.afterimage.image.ImageLibrary;
import io.afterimage.manifest.Manifest;
import java.io.IOException;
import java.util.List;

/**
 * What a point's manifest tells, but the maps themselves, which are large.
 *
 * @param disks in the machine's order
 * @param machine the captured definition
 * @param weight of the definition, in bytes
 */
record PointContent(List<DiskContent> disks, Documents machine, int weight) {

    static PointContent load(ImageLibrary images, Point point) throws IOException {
        Manifest manifest = images.manifest(point);
        return new PointContent(
                manifest.disks().stream().map(disk -> new DiskContent(images, point, disk)).toList(),
                Documents.of(Inodes.child(Inodes.of(point.id()), PointFolder.MACHINE), point.time(), manifest.definition()),
                manifest.definition().values().stream().mapToInt(String::length).sum());
    }
}
