package io.afterimage.fuse.tree;

import io.afterimage.catalog.Point;
import io.afterimage.catalog.PointDescriptor;
import io.afterimage.manifest.MachineName;
import io.afterimage.manifest.PointId;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** One point of a machine: its disks, their partitions, its definition and its descriptor. */
record PointFolder(PointContents contents, MachineName machine, PointId id) implements Node.Folder {

    static final String MACHINE = "machine";
    static final String RAW = ".raw";
    static final String PARTITION = ".p";

    private static final Logger LOG = LoggerFactory.getLogger(PointFolder.class);
    private static final String DESCRIPTOR = "point.json";
    private static final Pattern DISK_FILE = Pattern.compile("(.+?)(?:\\.raw|\\.p([1-9][0-9]{0,2}))");

    private long inode() {
        return Inodes.of(id);
    }

    @Override
    public Attributes attributes() {
        return Attributes.folder(inode(), id.time());
    }

    @Override
    public List<String> extendedAttributeNames() {
        return PointAttributes.NAMES;
    }

    @Override
    public SortedMap<String, String> extendedAttributes() throws IOException {
        return contents.point(machine, id).map(PointAttributes::of).orElseGet(TreeMap::new);
    }

    @Override
    public List<Entry> entries() throws IOException {
        Optional<Point> point = contents.point(machine, id);
        if (point.isEmpty()) {
            return List.of();
        }
        List<Entry> entries = new ArrayList<>();
        for (DiskContent disk : contents.content(point.get()).disks()) {
            for (DiskFile file : DiskFile.of(inode(), point.get(), disk, partitionsAsFarAsKnown(disk))) {
                entries.add(new Entry(file.name(), file.inode(), Attributes.Kind.FILE));
            }
        }
        entries.add(new Entry(MACHINE, Inodes.child(inode(), MACHINE), Attributes.Kind.FOLDER));
        entries.add(new Entry(DESCRIPTOR, Inodes.child(inode(), DESCRIPTOR), Attributes.Kind.FILE));
        return entries;
    }

    /** A partition table that cannot be read must not hide the other disks; whoever names a partition of this one learns of it. */
    private List<DiskContent.Part> partitionsAsFarAsKnown(DiskContent disk) {
        try {
            return disk.partitions();
        } catch (IOException e) {
            LOG.warn("The partitions of {}/{}@{} are not listed, since their table cannot be read: {}", machine, disk.name(), id, e.getMessage());
            return List.of();
        }
    }

    @Override
    public Optional<Node> child(String name) throws IOException {
        Matcher diskFile = DISK_FILE.matcher(name);
        boolean mayBe = name.equals(MACHINE) || name.equals(DESCRIPTOR) || diskFile.matches();
        Optional<Point> point = mayBe ? contents.point(machine, id) : Optional.empty();
        if (point.isEmpty()) {
            return Optional.empty();
        }
        return switch (name) {
            case DESCRIPTOR -> Optional.of(descriptor(point.get()));
            case MACHINE -> Optional.of(contents.content(point.get()).machine());
            default -> diskFile(point.get(), diskFile);
        };
    }

    private Node descriptor(Point point) {
        String json = new String(PointDescriptor.of(point).toJson(), StandardCharsets.UTF_8);
        return new TextFile(Inodes.child(inode(), DESCRIPTOR), point.time(), json + "\n");
    }

    private Optional<Node> diskFile(Point point, Matcher name) throws IOException {
        Optional<DiskContent> disk = contents.content(point).disks().stream()
                .filter(candidate -> candidate.name().text().equals(name.group(1)))
                .findFirst();
        if (disk.isEmpty()) {
            return Optional.empty();
        }
        Optional<DiskContent.Part> part =
                name.group(2) == null ? Optional.of(disk.get().whole()) : disk.get().partition(Integer.parseInt(name.group(2)));
        return part.map(found -> DiskFile.of(inode(), point, disk.get(), found));
    }
}
