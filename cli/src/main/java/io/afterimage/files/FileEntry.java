package io.afterimage.files;

import io.afterimage.posix.FileName;

/** A name in a folder, and what it stands for. */
public record FileEntry(FileName name, FileStatus status) {}
