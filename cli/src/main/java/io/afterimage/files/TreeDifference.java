package io.afterimage.files;

import io.afterimage.posix.FileKind;
import io.afterimage.posix.FileName;
import java.io.IOException;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.SortedSet;
import java.util.TreeSet;
import java.util.function.Consumer;

/**
 * Which files differ between two trees, of the same file system at two times. What size and times tell is not read; a file of the same
 * size with other times is read on both sides, up to the first difference, for times can be set. The times of folders are no
 * difference: those of what is in them are. Not thread-safe.
 */
public final class TreeDifference {

    private final FileTree before;
    private final FileTree after;
    private final Consumer<FileChange> changes;
    private final Consumer<FileProblem> problems;

    /**
     * Prepares a comparison.
     *
     * @param changes told of each as it is found, a folder before what is in it
     * @param problems told of what could not be compared
     */
    public TreeDifference(FileTree before, FileTree after, Consumer<FileChange> changes, Consumer<FileProblem> problems) {
        this.before = before;
        this.after = after;
        this.changes = changes;
        this.problems = problems;
    }

    /** Compares all of the two. */
    public void run() throws IOException {
        compare(FilePath.ROOT, before.status(FilePath.ROOT), after.status(FilePath.ROOT), 0);
    }

    /** Of names in a path; the kernel of the guest reads none that is deeper. */
    private static final int DEEPEST = 2048;

    private void folders(FilePath path, boolean inBefore, boolean inAfter, int depth) throws IOException {
        try {
            if (depth > DEEPEST) {
                throw new UnreadableFileException(path, "it is too deep: its file system is damaged", false);
            }
            Map<FileName, FileStatus> older = entries(before, path, inBefore);
            Map<FileName, FileStatus> newer = entries(after, path, inAfter);
            SortedSet<FileName> names = new TreeSet<>(older.keySet());
            names.addAll(newer.keySet());
            for (FileName name : names) {
                FilePath child = path.child(name);
                FileStatus was = older.get(name);
                FileStatus is = newer.get(name);
                if (was != null && is != null) {
                    compare(child, was, is, depth + 1);
                } else {
                    oneSided(child, Optional.ofNullable(was), Optional.ofNullable(is), depth + 1);
                }
            }
        } catch (UnreadableFileException e) {
            problems.accept(e.problem());
        }
    }

    private Map<FileName, FileStatus> entries(FileTree tree, FilePath path, boolean there) throws IOException {
        Map<FileName, FileStatus> entries = new HashMap<>();
        if (there) {
            Listing listing = tree.list(path);
            listing.problems().forEach(problems);
            listing.entries().forEach(entry -> entries.put(entry.name(), entry.status()));
        }
        return entries;
    }

    private void oneSided(FilePath path, Optional<FileStatus> was, Optional<FileStatus> is, int depth) throws IOException {
        changes.accept(new FileChange(path, was.isPresent() ? FileChange.Kind.REMOVED : FileChange.Kind.ADDED, was, is));
        boolean removed = was.filter(status -> status.kind() == FileKind.FOLDER).isPresent();
        boolean added = is.filter(status -> status.kind() == FileKind.FOLDER).isPresent();
        if (removed || added) {
            folders(path, removed, added, depth);
        }
    }

    private void compare(FilePath path, FileStatus was, FileStatus is, int depth) throws IOException {
        boolean wasFolder = was.kind() == FileKind.FOLDER;
        boolean isFolder = is.kind() == FileKind.FOLDER;
        try {
            if (was.kind() != is.kind() || contentDiffers(path, was, is)) {
                changes.accept(new FileChange(path, FileChange.Kind.CONTENT, Optional.of(was), Optional.of(is)));
            } else if (metadataDiffers(was, is)) {
                changes.accept(new FileChange(path, FileChange.Kind.METADATA, Optional.of(was), Optional.of(is)));
            }
        } catch (UnreadableFileException e) {
            problems.accept(e.problem());
        }
        if (wasFolder || isFolder) {
            folders(path, wasFolder, isFolder, depth);
        }
    }

    private boolean contentDiffers(FilePath path, FileStatus was, FileStatus is) throws IOException {
        return switch (is.kind()) {
            case FILE -> was.size() != is.size() || (touched(was, is) && bytesDiffer(path, is.size()));
            case LINK -> !was.target().equals(is.target());
            case CHARACTER_DEVICE, BLOCK_DEVICE -> was.node() != is.node();
            case FOLDER, PIPE, SOCKET -> false;
        };
    }

    private static boolean touched(FileStatus was, FileStatus is) {
        return was.inode() != is.inode()
                || !was.changed().equals(is.changed())
                || !was.attributes().modified().equals(is.attributes().modified());
    }

    private boolean bytesDiffer(FilePath path, long size) throws IOException {
        for (long position = 0; position < size; position += FileTree.LARGEST_READ) {
            int length = (int) Math.min(FileTree.LARGEST_READ, size - position);
            if (!Arrays.equals(before.read(path, position, length), after.read(path, position, length))) {
                return true;
            }
        }
        return false;
    }

    /** The time of reading is none: to read a file does not change it. */
    private static boolean metadataDiffers(FileStatus was, FileStatus is) {
        var then = was.attributes();
        var now = is.attributes();
        boolean times = is.kind() != FileKind.FOLDER && !then.modified().equals(now.modified());
        return times
                || then.mode() != now.mode()
                || then.user() != now.user()
                || then.group() != now.group()
                || !then.extended().equals(now.extended());
    }
}
