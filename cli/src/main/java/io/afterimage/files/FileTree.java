package io.afterimage.files;

import io.afterimage.block.ByteRange;
import java.io.IOException;
import java.util.List;

/**
 * A file system that is read. An {@link UnreadableFileException} is about one file; any other means that the tree has ended. A path
 * that is handed in comes from a listing, or from the user: symbolic links within it lead to places in the same tree. Not thread-safe.
 */
public interface FileTree {

    /** The most that is read at once, in bytes. */
    int LARGEST_READ = 1 << 21;

    /** What is at this path; a symbolic link at its end is not followed. */
    FileStatus status(FilePath path) throws IOException;

    /** What is in this folder. */
    Listing list(FilePath folder) throws IOException;

    /**
     * Reads of a {@link io.afterimage.posix.FileKind#FILE}.
     *
     * @param length at most {@link #LARGEST_READ}
     * @return fewer bytes only where the file ends
     */
    byte[] read(FilePath file, long offset, int length) throws IOException;

    /** The parts of a file that may hold something else than zeros, in order, within its size. */
    default List<ByteRange> data(FilePath file, FileStatus status) throws IOException {
        return List.of(new ByteRange(0, status.size()));
    }
}
