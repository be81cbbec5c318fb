package io.afterimage.store.file;

import io.afterimage.store.Operation;
import io.afterimage.store.Problem;
import io.afterimage.store.StoreException;
import io.afterimage.store.StoreException.Outcome;
import java.io.IOException;
import java.nio.channels.ClosedByInterruptException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileStore;
import java.nio.file.Files;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;

/** What an {@link IOException} of the JDK's file API means to a store. */
final class FileFailures {

    /** Less than this usable, and a failed write failed for want of space. */
    private static final long NO_SPACE_BYTES = 1 << 20;

    private FileFailures() {}

    /** A folder's failures are final: the kernel has retried what may be retried. */
    static StoreException classify(Operation operation, String subject, Path root, IOException e) {
        String where = e instanceof ForeignFileException foreign ? root.relativize(Path.of(foreign.getFile())).toString() : subject;
        return new StoreException(operation, where, root.toString(), problem(e, root), Outcome.FATAL, e);
    }

    static Problem problem(IOException e, Path root) {
        return switch (e) {
            case ClosedByInterruptException _ -> Problem.INTERRUPTED;
            case StoreMissingException _ -> Problem.STORE_MISSING;
            case ForeignFileException _ -> Problem.FOREIGN;
            case NotDirectoryException _, FileAlreadyExistsException _ -> Problem.FOREIGN;
            case AccessDeniedException _ -> Problem.ACCESS_DENIED;
            default -> problem(String.valueOf(e.getMessage()), root);
        };
    }

    /** The JDK passes errno on as the C library's text only, which is in the system's language: where it says nothing, look at the file system. */
    private static Problem problem(String text, Path root) {
        if (text.contains("No space left on device") || text.contains("Disk quota exceeded")) {
            return Problem.OUT_OF_SPACE;
        }
        if (text.contains("Read-only file system")) {
            return Problem.READ_ONLY;
        }
        if (text.contains("Operation not permitted")) {
            return Problem.ACCESS_DENIED;
        }
        if (text.contains("Not a directory") || text.contains("Is a directory") || text.contains("Too many levels of symbolic links")) {
            return Problem.FOREIGN;
        }
        try {
            FileStore fileSystem = Files.getFileStore(root);
            if (fileSystem.isReadOnly()) {
                return Problem.READ_ONLY;
            }
            return fileSystem.getUsableSpace() < NO_SPACE_BYTES ? Problem.OUT_OF_SPACE : Problem.DEVICE_FAILED;
        } catch (IOException e) {
            return Problem.DEVICE_FAILED;
        }
    }
}
