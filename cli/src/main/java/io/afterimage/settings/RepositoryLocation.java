package io.afterimage.settings;

import io.afterimage.store.s3.S3Location;
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

    /** A prefix of a bucket. */
    record Bucket(S3Location location) implements RepositoryLocation {
        @Override
        public String toString() {
            return location.toString();
        }
    }

    /** Reads a folder's path, or {@code s3://bucket/prefix} with the options that {@link S3Location} knows. */
    static RepositoryLocation parse(String text) {
        if (text.isBlank()) {
            throw new IllegalArgumentException(
                    "The repository's place is empty: name a folder or s3://bucket/prefix with --repo or AFTERIMAGE_REPO.");
        }
        if (text.startsWith("s3://")) {
            return new Bucket(S3Location.parse(text));
        }
        if (text.contains("://")) {
            throw new IllegalArgumentException("'" + text + "' is not a place for a repository: name a folder or s3://bucket/prefix.");
        }
        return new Folder(Path.of(text));
    }
}
