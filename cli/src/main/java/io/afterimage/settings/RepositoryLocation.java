package io.afterimage.settings;

import java.nio.file.Path;

/** Where a repository is, as {@code --repo} or {@code AFTERIMAGE_REPO} says it. */
public sealed interface RepositoryLocation {

    /** A folder of this host. */
    record Folder(Path path) implements RepositoryLocation {
        @Override
        public String toString() {
            return path.toString();
        }
    }

    /** Reads a folder's path. */
    static RepositoryLocation parse(String text) {
        if (text.isBlank()) {
            throw new IllegalArgumentException("The repository's place is empty: name a folder with --repo or AFTERIMAGE_REPO.");
        }
        if (text.contains("://")) {
            throw new IllegalArgumentException("'" + text + "' is not a place that this version can use: name a folder.");
        }
        return new Folder(Path.of(text));
    }
}
