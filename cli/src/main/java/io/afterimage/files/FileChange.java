package io.afterimage.files;

import java.util.Optional;

/**
 * A file that differs between two trees.
 *
 * @param path where it is in both
 * @param kind how it differs
 * @param before empty if it was added
 * @param after empty if it was removed
 */
public record FileChange(FilePath path, Kind kind, Optional<FileStatus> before, Optional<FileStatus> after) {

    /** How a file differs. */
    public enum Kind {
        ADDED,
        REMOVED,
        /** Its bytes, its link's target, or what it is. */
        CONTENT,
        /** Owner, permissions, times or extended attributes alone. */
        METADATA
    }
}
