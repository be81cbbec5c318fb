package io.afterimage.app.guest;

import io.afterimage.block.ByteRange;
import io.afterimage.catalog.Catalog;
import io.afterimage.catalog.Point;
import io.afterimage.files.FileChange;
import io.afterimage.files.FilePath;
import io.afterimage.files.FileProblem;
import io.afterimage.files.TreeDifference;
import io.afterimage.guestfs.GuestException;
import io.afterimage.guestfs.Volume;
import io.afterimage.image.ImageLibrary;
import io.afterimage.manifest.DiskMap;
import io.afterimage.manifest.DiskName;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Which files differ between two points of a machine. Where the maps of the disks say that no block of a volume differs, it is not even
 * opened. Each point has an appliance of its own: two file systems with one UUID do not go together.
 */
public final class ChangedFiles {

    private final Catalog catalog;
    private final ImageLibrary images;
    private final GuestFiles.Settings settings;

    public ChangedFiles(Catalog catalog, ImageLibrary images, GuestFiles.Settings settings) {
        this.catalog = catalog;
        this.images = images;
        this.settings = settings;
    }

    /**
     * What differs in a volume.
     *
     * @param volume its name
     * @param change what became of it as a whole
     * @param files what differs in it, a folder before what is in it
     * @param problems what could not be compared
     */
    public record VolumeChange(String volume, Change change, List<FileChange> files, List<FileProblem> problems) {}

    /** What became of a volume. */
    public enum Change {
        ADDED,
        REMOVED,
        /** There in both. */
        COMPARED
    }

    /**
     * Compares.
     *
     * @param disk this one alone; all if empty
     */
    public List<VolumeChange> run(Point before, Point after, Optional<DiskName> disk) throws IOException {
        Map<String, List<ByteRange>> changed = changedRanges(before, after, disk);
        if (changed.values().stream().allMatch(List::isEmpty)) {
            return List.of();
        }
        // Each start is seconds of one processor.
        CompletableFuture<GuestFiles> starting = new CompletableFuture<>();
        Thread.ofPlatform().daemon().name("appliance-start").start(() -> {
            try {
                starting.complete(GuestFiles.open(catalog, images, before, disk, settings));
            } catch (IOException | RuntimeException e) {
                starting.completeExceptionally(e);
            }
        });
        try (GuestFiles newer = GuestFiles.open(catalog, images, after, disk, settings);
                GuestFiles older = join(starting)) {
            return compare(older, newer, changed);
        } finally {
            // If the other one did not start, nobody else closes this.
            var _ = starting.thenAccept(ChangedFiles::close);
        }
    }

    private static GuestFiles join(CompletableFuture<GuestFiles> starting) throws IOException {
        try {
            return starting.join();
        } catch (CompletionException e) {
            throw e.getCause() instanceof IOException cause ? cause : new IOException(e.getCause());
        }
    }

    private static void close(GuestFiles guest) {
        try {
            guest.close();
        } catch (IOException _) {
            // It has been closed, or was never used.
        }
    }

    /** By disk; everything of a disk that is in one of the points only. */
    private Map<String, List<ByteRange>> changedRanges(Point before, Point after, Optional<DiskName> disk) throws IOException {
        Map<DiskName, DiskMap> older = maps(before, disk);
        Map<DiskName, DiskMap> newer = maps(after, disk);
        Map<String, List<ByteRange>> changed = new LinkedHashMap<>();
        for (DiskName name : Stream.concat(older.keySet().stream(), newer.keySet().stream()).distinct().toList()) {
            DiskMap was = older.get(name);
            DiskMap is = newer.get(name);
            changed.put(name.text(), was == null || is == null || was.size() != is.size()
                    ? List.of(new ByteRange(0, Long.MAX_VALUE))
                    : is.map().differences(was.map()));
        }
        return changed;
    }

    private Map<DiskName, DiskMap> maps(Point point, Optional<DiskName> disk) throws IOException {
        return images.manifest(point).disks().stream()
                .filter(map -> disk.isEmpty() || disk.get().equals(map.name()))
                .collect(Collectors.toMap(DiskMap::name, map -> map, (first, _) -> first, LinkedHashMap::new));
    }

    private static List<VolumeChange> compare(GuestFiles older, GuestFiles newer, Map<String, List<ByteRange>> changed)
            throws IOException {
        Map<String, Volume> before = mountable(older);
        Map<String, Volume> after = mountable(newer);
        List<VolumeChange> changes = new ArrayList<>();
        for (String name : Stream.concat(after.keySet().stream(), before.keySet().stream()).distinct().toList()) {
            Volume was = before.get(name);
            Volume is = after.get(name);
            if (was == null || is == null) {
                changes.add(new VolumeChange(name, was == null ? Change.ADDED : Change.REMOVED, List.of(), List.of()));
            } else if (!isUnchanged(was, is, changed)) {
                changes.add(compare(older, newer, was, is));
            }
        }
        return changes;
    }

    private static Map<String, Volume> mountable(GuestFiles guest) throws GuestException {
        return guest.volumes().stream()
                .filter(Volume::mountable)
                .collect(Collectors.toMap(Volume::name, volume -> volume, (first, _) -> first, LinkedHashMap::new));
    }

    private static boolean isUnchanged(Volume was, Volume is, Map<String, List<ByteRange>> changed) {
        // One that lies on several places of several disks is compared whenever anything differs.
        return is.place()
                .filter(place -> was.place().equals(is.place()))
                .filter(place -> changed.get(place.disk()).stream().allMatch(change -> change.intersect(place.range()).isEmpty()))
                .isPresent();
    }

    private static VolumeChange compare(GuestFiles older, GuestFiles newer, Volume was, Volume is) throws IOException {
        List<FileChange> files = new ArrayList<>();
        List<FileProblem> problems = new ArrayList<>();
        try {
            new TreeDifference(older.tree(was), newer.tree(is), files::add, problems::add).run();
        } catch (GuestException e) {
            if (e.reason() != GuestException.Reason.NO_FILE_SYSTEM) {
                throw e;
            }
            problems.add(new FileProblem(FilePath.ROOT, e.getMessage()));
        }
        return new VolumeChange(is.name(), Change.COMPARED, files, problems);
    }
}
