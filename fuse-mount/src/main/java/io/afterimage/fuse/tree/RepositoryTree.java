package io.afterimage.fuse.tree;

import io.afterimage.catalog.Catalog;
import io.afterimage.image.ImageLibrary;
import io.afterimage.manifest.MachineName;
import io.afterimage.manifest.PointId;
import io.afterimage.repository.Repository;
import io.afterimage.store.Ticker;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.SortedMap;

/** All points of a repository as a tree of files, which follows what is backed up and forgotten. Thread-safe. */
public final class RepositoryTree {

    private final Listings listings;
    private final PointContents contents;
    private final Usage.Meter usage;
    private final Folder root = new Folder(this);

    /**
     * @param repository stays open as long as the tree is used, and the caller's to close
     * @param images of that repository; the same holds for them
     * @param lifetime how old a listing may be that is shown
     */
    public RepositoryTree(Repository repository, ImageLibrary images, Ticker ticker, Duration lifetime) {
        Catalog catalog = repository.catalog();
        listings = new Listings(catalog, ticker, lifetime);
        contents = new PointContents(catalog, images);
        usage = new Usage.Meter(repository.store(), ticker);
    }

    Listings listings() {
        return listings;
    }

    PointContents contents() {
        return contents;
    }

    /** What has that path, which begins with a slash; no link is followed. */
    public Optional<Node> find(String path) throws IOException {
        Optional<Node> found = Optional.of(root);
        int begin = 1;
        while (begin < path.length() && found.isPresent()) {
            int slash = path.indexOf('/', begin);
            int end = slash < 0 ? path.length() : slash;
            found = found.get() instanceof Node.Folder folder ? folder.child(path.substring(begin, end)) : Optional.empty();
            begin = end + 1;
        }
        return found;
    }

    /** What the repository takes in its store, as far as it has been counted. */
    public Usage usage() {
        return usage.now();
    }

    /** The machines. */
    private record Folder(RepositoryTree tree) implements Node.Folder {

        private SortedMap<MachineName, PointId> machines() throws IOException {
            return tree.listings.machines();
        }

        @Override
        public Attributes attributes() throws IOException {
            Instant newest = machines().values().stream().max(Comparator.comparing(PointId::time)).map(PointId::time).orElse(Instant.EPOCH);
            return Attributes.folder(Inodes.ROOT, newest);
        }

        @Override
        public List<Entry> entries() throws IOException {
            return machines().keySet().stream()
                    .map(machine -> new Entry(machine.text(), MachineFolder.inode(machine), Attributes.Kind.FOLDER))
                    .toList();
        }

        @Override
        public Optional<Node> child(String name) throws IOException {
            if (!MachineName.isValid(name)) {
                return Optional.empty();
            }
            MachineName machine = new MachineName(name);
            return tree.listings.points(machine).isEmpty() ? Optional.empty() : Optional.of(new MachineFolder(tree, machine));
        }
    }
}
