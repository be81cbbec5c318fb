package io.afterimage.store.file;

import java.nio.file.FileSystemException;
import java.nio.file.Path;

/** Something that is not an object's file, or not a folder, stands where one belongs. */
final class ForeignFileException extends FileSystemException {

    private static final long serialVersionUID = 1;

    ForeignFileException(Path path) {
        super(path.toString(), null, "not a file or folder of a store");
    }
}
