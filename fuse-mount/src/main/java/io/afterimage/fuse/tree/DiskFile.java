package io.afterimage.fuse.tree;

import io.afterimage.catalog.Point;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;

/** A disk, or a partition of it, as a file. */
record DiskFile(long inode, Point point, DiskContent disk, DiskContent.Part part) implements Node.File {

    private static final String DISK = PointAttributes.PREFIX + "disk";
    private static final String CHANGED = PointAttributes.PREFIX + "changed_bytes";
    private static final String PARTITION = PointAttributes.PREFIX + "partition";
    private static final String OFFSET = PointAttributes.PREFIX + "offset";

    @Override
    public Attributes attributes() {
        return Attributes.file(inode, part.range().length(), part.allocated(), point.time());
    }

    @Override
    public List<String> extendedAttributeNames() {
        return List.copyOf(extendedAttributes().keySet());
    }

    @Override
    public SortedMap<String, String> extendedAttributes() {
        SortedMap<String, String> values = new TreeMap<>(PointAttributes.of(point));
        values.put(DISK, disk.name().text());
        values.put(CHANGED, Long.toString(part.changed()));
        if (part.partition() > 0) {
            values.put(PARTITION, Integer.toString(part.partition()));
            values.put(OFFSET, Long.toString(part.range().offset()));
        }
        return values;
    }

    @Override
    public OpenFile open() throws IOException {
        return disk.open(part);
    }

    /** All the names that the files of a disk have in its point's folder: itself first, then its partitions. */
    static List<DiskFile> of(long folder, Point point, DiskContent disk, List<DiskContent.Part> partitions) {
        List<DiskFile> files = new ArrayList<>();
        files.add(of(folder, point, disk, disk.whole()));
        partitions.forEach(part -> files.add(of(folder, point, disk, part)));
        return files;
    }

    static DiskFile of(long folder, Point point, DiskContent disk, DiskContent.Part part) {
        return new DiskFile(Inodes.child(folder, name(disk, part)), point, disk, part);
    }

    String name() {
        return name(disk, part);
    }

    private static String name(DiskContent disk, DiskContent.Part part) {
        return disk.name() + (part.partition() == 0 ? PointFolder.RAW : PointFolder.PARTITION + part.partition());
    }
}
