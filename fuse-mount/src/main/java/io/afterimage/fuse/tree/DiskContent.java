package io.afterimage.fuse.tree;

import io.afterimage.block.BlockDevice;
import io.afterimage.block.ByteRange;
import io.afterimage.block.Extent;
import io.afterimage.catalog.Point;
import io.afterimage.fuse.partition.Partition;
import io.afterimage.fuse.partition.PartitionTable;
import io.afterimage.image.ImageLibrary;
import io.afterimage.manifest.DiskMap;
import io.afterimage.manifest.DiskName;
import java.io.IOException;
import java.util.List;
import java.util.Optional;

/** One disk of a point, and where its partitions lie, which is read when first asked for. Thread-safe. */
final class DiskContent {

    /**
     * The disk or a partition of it.
     *
     * @param partition its number; 0 of the whole disk
     * @param range where on the disk it lies
     * @param allocated bytes of it that are not holes
     * @param changed bytes of it that differ from the parent point
     */
    record Part(int partition, ByteRange range, long allocated, long changed) {

        private static Part of(int partition, ByteRange range, DiskMap disk) {
            long allocated = disk.map().extents(range, Integer.MAX_VALUE).stream()
                    .filter(extent -> extent.kind() == Extent.Kind.DATA)
                    .mapToLong(extent -> extent.range().length())
                    .sum();
            long changed = disk.changed().stream().mapToLong(change -> change.intersect(range).length()).sum();
            return new Part(partition, range, allocated, changed);
        }
    }

    private final ImageLibrary images;
    private final Point point;
    private final DiskName name;
    private final Part whole;
    private volatile List<Part> partitions;

    DiskContent(ImageLibrary images, Point point, DiskMap disk) {
        this.images = images;
        this.point = point;
        name = disk.name();
        whole = Part.of(0, new ByteRange(0, disk.size()), disk);
    }

    DiskName name() {
        return name;
    }

    Part whole() {
        return whole;
    }

    /** By number. */
    List<Part> partitions() throws IOException {
        List<Part> known = partitions;
        if (known == null) {
            synchronized (this) {
                known = partitions == null ? read() : partitions;
                partitions = known;
            }
        }
        return known;
    }

    private List<Part> read() throws IOException {
        List<Partition> table;
        try (BlockDevice image = images.open(point, name)) {
            table = PartitionTable.read(image);
        }
        DiskMap disk = images.manifest(point).disk(name).orElseThrow();
        return table.stream().map(partition -> Part.of(partition.number(), partition.range(), disk)).toList();
    }

    Optional<Part> partition(int number) throws IOException {
        return partitions().stream().filter(part -> part.partition() == number).findFirst();
    }

    /** Opens the disk, to be read through a window. */
    OpenFile open(Part part) throws IOException {
        return new OpenImage(images.open(point, name), part.range());
    }
}
