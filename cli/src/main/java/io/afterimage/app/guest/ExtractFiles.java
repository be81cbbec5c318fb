package io.afterimage.app.guest;

import io.afterimage.app.TargetException;
import io.afterimage.capture.Progress;
import io.afterimage.files.Extraction;
import io.afterimage.files.ExtractionReport;
import io.afterimage.files.FilePath;
import io.afterimage.files.FileTree;
import io.afterimage.posix.HostFolder;
import io.afterimage.posix.PosixException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;

/** Copies files of a guest into a folder of this host. */
public final class ExtractFiles {

    private ExtractFiles() {}

    /**
     * Copies {@code from} into the folder, which is made, for its owner alone, if it is not there.
     *
     * @param devices makes device nodes as well
     */
    public static ExtractionReport run(FileTree tree, FilePath from, Path folder, boolean devices, Progress progress)
            throws IOException {
        if (!Files.isDirectory(folder)) {
            make(folder);
        }
        try (HostFolder into = HostFolder.open(folder)) {
            return new Extraction(tree, devices, progress).run(from, into);
        } catch (PosixException e) {
            throw new TargetException(
                    e.isThereAlready()
                            ? folder + " has a " + from.name() + " already, and nothing is replaced: name another folder."
                            : "Nothing more can be written to " + folder + " (" + e.getMessage() + "): name a folder on another disk.",
                    e);
        }
    }

    private static void make(Path folder) throws TargetException {
        try {
            Files.createDirectory(folder, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
        } catch (IOException e) {
            throw new TargetException("The folder " + folder + " cannot be made (" + e.getClass().getSimpleName()
                    + "): the one that it shall be in must be there, and writable.", e);
        }
    }
}
