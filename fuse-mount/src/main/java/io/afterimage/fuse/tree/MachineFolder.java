package io.afterimage.fuse.tree;

import io.afterimage.manifest.MachineName;
import io.afterimage.manifest.PointId;
import java.io.IOException;
import java.time.Instant;
import java.util.AbstractList;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** One machine: its points by time, the latest, and all of them by id. */
record MachineFolder(RepositoryTree tree, MachineName machine) implements Node.Folder {

    private static final String BY_ID = "by-id";
    private static final String LATEST = "latest";

    private List<PointId> points() throws IOException {
        return tree.listings().points(machine);
    }

    static long inode(MachineName machine) {
        return Inodes.child(Inodes.ROOT, machine.text());
    }

    private long inode() {
        return inode(machine);
    }

    @Override
    public Attributes attributes() throws IOException {
        return Attributes.folder(inode(), newest(points()));
    }

    private static Instant newest(List<PointId> points) {
        return points.isEmpty() ? Instant.EPOCH : points.getLast().time();
    }

    @Override
    public List<Entry> entries() throws IOException {
        List<PointId> points = points();
        List<Entry> entries = new ArrayList<>(points.size() + 2);
        for (int index = 0; index < points.size(); index++) {
            entries.add(new Entry(PointName.of(points, index), Inodes.of(points.get(index)), Attributes.Kind.FOLDER));
        }
        entries.add(new Entry(BY_ID, Inodes.child(inode(), BY_ID), Attributes.Kind.FOLDER));
        if (!points.isEmpty()) {
            entries.add(new Entry(LATEST, Inodes.child(inode(), LATEST), Attributes.Kind.LINK));
        }
        return entries;
    }

    @Override
    public Optional<Node> child(String name) throws IOException {
        List<PointId> points = points();
        if (name.equals(BY_ID)) {
            return Optional.of(new ById(Inodes.child(inode(), BY_ID), points));
        }
        if (name.equals(LATEST)) {
            return points.isEmpty() ? Optional.empty() : Optional.of(link(Inodes.child(inode(), LATEST), points, points.size() - 1, ""));
        }
        return PointName.find(points, name).map(index -> new PointFolder(tree.contents(), machine, points.get(index)));
    }

    private static Node.Link link(long inode, List<PointId> points, int index, String folder) {
        String target = folder + PointName.of(points, index);
        return new Link(Attributes.link(inode, target, points.get(index).time()), target);
    }

    /** Links to the points, named after their ids. */
    private record ById(long inode, List<PointId> points) implements Node.Folder {

        @Override
        public Attributes attributes() {
            return Attributes.folder(inode, newest(points));
        }

        @Override
        public List<Entry> entries() {
            return new AbstractList<>() {

                @Override
                public Entry get(int index) {
                    String name = points.get(index).hex();
                    return new Entry(name, Inodes.child(inode, name), Attributes.Kind.LINK);
                }

                @Override
                public int size() {
                    return points.size();
                }
            };
        }

        @Override
        public Optional<Node> child(String name) {
            return Listings.index(points, name).map(index -> link(Inodes.child(inode, name), points, index, "../"));
        }
    }
}
