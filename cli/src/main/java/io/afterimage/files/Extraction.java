package io.afterimage.files;

import io.afterimage.block.ByteRange;
import io.afterimage.capture.Progress;
import io.afterimage.posix.EscapedText;
import io.afterimage.posix.FileKind;
import io.afterimage.posix.FileName;
import io.afterimage.posix.HostFile;
import io.afterimage.posix.HostFolder;
import io.afterimage.posix.PosixException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/**
 * Copies a file, or a folder with all that is in it, out of a tree. What cannot be read is listed and left out; a file that is there
 * is whole. Nothing is replaced, and nothing is made outside of the folder it is copied into: every name is one of a folder that was made
 * here, and no symbolic link is followed. For one copy; not thread-safe.
 */
public final class Extraction {

    /** Zeros of a sparse file that are this long become a hole: what file systems allocate at once. */
    private static final int HOLE = 4096;

    private final FileTree tree;
    private final boolean devices;
    private final Progress progress;
    private final List<FileProblem> problems = new ArrayList<>();
    private final Map<String, Integer> losses = new TreeMap<>();
    /** Where files are that have more names to come. */
    private final Map<Identity, FilePath> linked = new HashMap<>();
    /** The folders on the way to where we are. */
    private final Set<Identity> open = new HashSet<>();

    private HostFolder top;
    private FilePath root;
    private long expected;
    private long folders;
    private long files;
    private long bytes;

    private record Identity(long device, long inode) {
        static Identity of(FileStatus status) {
            return new Identity(status.device(), status.inode());
        }
    }

    /**
     * Prepares a copy.
     *
     * @param devices makes device nodes, too: whoever can open one of them has the host's device of that number
     * @param progress told of bytes; their sum is known to the extent that folders were listed
     */
    public Extraction(FileTree tree, boolean devices, Progress progress) {
        this.tree = tree;
        this.devices = devices;
        this.progress = progress;
    }

    /**
     * Copies {@code from} into {@code into} under its own name, or what is in it if it is the root.
     *
     * @throws PosixException if nothing can be made there at all; such as when it is there already
     */
    public ExtractionReport run(FilePath from, HostFolder into) throws IOException {
        top = into;
        root = from.isRoot() ? from : from.parent();
        FileStatus status = tree.status(from);
        if (from.isRoot()) {
            open.add(Identity.of(status));
            content(from, into);
        } else {
            expect(status);
            make(from, status, into);
        }
        return new ExtractionReport(folders, files, bytes, List.copyOf(problems), Map.copyOf(losses));
    }

    private void content(FilePath path, HostFolder folder) throws IOException {
        Listing listing = tree.list(path);
        problems.addAll(listing.problems());
        listing.entries().forEach(entry -> expect(entry.status()));
        for (FileEntry entry : listing.entries()) {
            FilePath child = path.child(entry.name());
            try {
                make(child, entry.status(), folder);
            } catch (UnreadableFileException e) {
                problems.add(e.problem());
            } catch (PosixException e) {
                if (e.isOfTheWholeFileSystem()) {
                    throw e;
                }
                problems.add(new FileProblem(child, "cannot be made here: " + e.getMessage()));
            }
        }
    }

    private void expect(FileStatus status) {
        if (status.kind() == FileKind.FILE) {
            expected += Math.min(status.size(), status.allocated());
            progress.total(expected);
        }
    }

    private void make(FilePath path, FileStatus status, HostFolder folder) throws IOException {
        FileName name = path.name();
        Identity identity = Identity.of(status);
        if (status.kind() == FileKind.FOLDER) {
            folder(path, status, identity, folder);
            return;
        }
        if (status.kind().isDevice() && !devices) {
            lose("device nodes are left out");
            return;
        }
        if (!hardLink(name, identity, folder)) {
            switch (status.kind()) {
                case FILE -> file(path, status, folder);
                case LINK -> folder.makeLink(name, EscapedText.parse(status.target().orElseThrow()));
                case FOLDER, PIPE, SOCKET, CHARACTER_DEVICE, BLOCK_DEVICE -> folder.makeNode(name, status.kind(), status.node());
            }
            attributes(name, status, folder);
            if (status.links() > 1) {
                linked.put(identity, path);
            }
        }
        files++;
    }

    private void folder(FilePath path, FileStatus status, Identity identity, HostFolder parent) throws IOException {
        if (!open.add(identity)) {
            throw new UnreadableFileException(path, "the folder is inside itself: its file system is damaged", false);
        }
        try (HostFolder made = parent.makeFolder(path.name())) {
            folders++;
            try {
                content(path, made);
            } finally {
                // Last, for making files in it has changed its times, and may not be permitted then.
                attributes(path.name(), status, parent);
            }
        } finally {
            open.remove(identity);
        }
    }

    /** Whether the file was made under another name before, and has got this one, too. */
    private boolean hardLink(FileName name, Identity identity, HostFolder folder) throws PosixException {
        FilePath first = linked.get(identity);
        if (first == null) {
            return false;
        }
        List<FileName> way = first.parent().names().subList(root.names().size(), first.names().size() - 1);
        List<HostFolder> opened = new ArrayList<>();
        try {
            HostFolder at = top;
            for (FileName step : way) {
                at = at.folder(step);
                opened.add(at);
            }
            folder.makeHardLink(name, at, first.name());
            return true;
        } finally {
            for (HostFolder each : opened) {
                each.close();
            }
        }
    }

    private void file(FilePath path, FileStatus status, HostFolder folder) throws IOException {
        boolean whole = false;
        try (HostFile file = folder.makeFile(path.name())) {
            try {
                for (ByteRange data : tree.data(path, status)) {
                    copy(path, status, data, file);
                }
                file.setSize(status.size());
                whole = true;
            } finally {
                if (!whole) {
                    folder.remove(path.name());
                }
            }
        }
    }

    private void copy(FilePath path, FileStatus status, ByteRange data, HostFile file) throws IOException {
        long position = data.offset();
        while (position < data.end()) {
            byte[] read = tree.read(path, position, (int) Math.min(data.end() - position, FileTree.LARGEST_READ));
            if (read.length == 0) {
                throw new UnreadableFileException(path, "it ends at " + position + " of " + status.size() + " bytes", false);
            }
            bytes += status.isSparse() ? writeSparsely(read, position, file) : write(read, 0, read.length, position, file);
            progress.advance(read.length);
            position += read.length;
        }
    }

    private static long write(byte[] read, int from, int length, long position, HostFile file) throws PosixException {
        file.write(read, from, length, position + from);
        return length;
    }

    /** Writes what is not zero, in blocks of the file. */
    private static long writeSparsely(byte[] read, long position, HostFile file) throws PosixException {
        long written = 0;
        int begin = 0;
        int at = 0;
        while (at < read.length) {
            int end = (int) Math.min(read.length, at + HOLE - (position + at) % HOLE);
            if (isZero(read, at, end)) {
                written += begin < at ? write(read, begin, at - begin, position, file) : 0;
                begin = end;
            }
            at = end;
        }
        return written + (begin < at ? write(read, begin, at - begin, position, file) : 0);
    }

    private static boolean isZero(byte[] bytes, int from, int to) {
        for (int i = from; i < to; i++) {
            if (bytes[i] != 0) {
                return false;
            }
        }
        return true;
    }

    /** The owner first: to change it takes set-user-id and file capabilities away. */
    private void attributes(FileName name, FileStatus status, HostFolder folder) {
        var attributes = status.attributes();
        attempt("owner", () -> folder.setOwner(name, attributes.user(), attributes.group()));
        if (status.kind() != FileKind.LINK) {
            attempt("permissions", () -> folder.setMode(name, attributes.mode()));
        }
        attributes.extended()
                .forEach(extended -> attempt("extended attribute " + extended, () -> folder.setExtended(name, extended)));
        attempt("times", () -> folder.setTimes(name, attributes));
    }

    private interface Setting {
        void set() throws PosixException;
    }

    private void attempt(String what, Setting setting) {
        try {
            setting.set();
        } catch (PosixException e) {
            lose(what + " not kept: " + e.getMessage());
        }
    }

    private void lose(String what) {
        losses.merge(what, 1, Integer::sum);
    }
}
