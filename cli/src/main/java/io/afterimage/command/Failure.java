package io.afterimage.command;

import io.afterimage.app.KeyException;
import io.afterimage.app.SourceException;
import io.afterimage.app.TargetException;
import io.afterimage.capture.libvirt.LibvirtException;
import io.afterimage.capture.qemu.QmpException;
import io.afterimage.catalog.CatalogException;
import io.afterimage.chunk.CorruptChunkException;
import io.afterimage.files.UnreadableFileException;
import io.afterimage.guestfs.GuestException;
import io.afterimage.keys.BrokenSealException;
import io.afterimage.manifest.CorruptManifestException;
import io.afterimage.overlay.OverlayException;
import io.afterimage.pack.CorruptPackException;
import io.afterimage.repository.RepositoryException;
import io.afterimage.store.ObjectNotFoundException;
import io.afterimage.store.Problem;
import io.afterimage.store.StoreException;
import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;

/**
 * What the user is told of an exception.
 *
 * @param exitCode for scripts
 * @param sentence for people
 */
record Failure(ExitCode exitCode, String sentence) {

    static Failure of(Throwable thrown) {
        Throwable cause = root(thrown);
        return new Failure(exitCode(cause), sentence(cause));
    }

    /** The exception that names the matter: wrappers around one of ours say less than it does. */
    private static Throwable root(Throwable thrown) {
        for (Throwable cause = thrown; cause != null; cause = cause.getCause()) {
            if (exitCode(cause) != ExitCode.INTERNAL || cause instanceof OutOfMemoryError) {
                return cause;
            }
        }
        return thrown;
    }

    private static ExitCode exitCode(Throwable cause) {
        return switch (cause) {
            case CatalogException e -> switch (e.reason()) {
                case NO_SUCH_MACHINE, NO_SUCH_POINT, NO_SUCH_DISK, NO_SUCH_DOCUMENT, AMBIGUOUS -> ExitCode.NOT_FOUND;
                case NOT_A_SELECTOR -> ExitCode.USAGE;
                case DAMAGED -> ExitCode.CORRUPT;
                case UNSUPPORTED_FORMAT -> ExitCode.REPOSITORY;
                case BUSY, PROTECTED, IMMUTABLE -> ExitCode.BUSY;
            };
            case RepositoryException e -> switch (e.reason()) {
                case NOT_A_REPOSITORY, NOT_EMPTY, UNSUPPORTED_FORMAT, NO_OBJECT_LOCK, OTHER_MODE -> ExitCode.REPOSITORY;
                case DAMAGED -> ExitCode.CORRUPT;
                case KEY_NEEDED, WRONG_KEY, NOT_ENCRYPTED, LAST_SLOT, TOO_MANY_SLOTS -> ExitCode.KEY;
                case NO_SUCH_SLOT -> ExitCode.NOT_FOUND;
                case SLOTS_CHANGED -> ExitCode.BUSY;
            };
            case KeyException _ -> ExitCode.KEY;
            case BrokenSealException _ -> ExitCode.CORRUPT;
            case CorruptChunkException _, CorruptManifestException _, CorruptPackException _ -> ExitCode.CORRUPT;
            case ObjectNotFoundException _ -> ExitCode.CORRUPT;
            case StoreException e -> e.problem() == Problem.STORE_MISSING
                    ? ExitCode.REPOSITORY
                    : e.problem() == Problem.TOO_SHORT || e.problem() == Problem.TOO_LARGE ? ExitCode.CORRUPT : ExitCode.STORE;
            case OverlayException e -> switch (e.reason()) {
                case IN_USE -> ExitCode.BUSY;
                case DAMAGED, BASE_LOST -> ExitCode.CORRUPT;
                case UNSUPPORTED_FORMAT, EXISTS -> ExitCode.TARGET;
                case NO_SUCH_OVERLAY -> ExitCode.NOT_FOUND;
            };
            case QmpException _, LibvirtException _, SourceException _ -> ExitCode.SOURCE;
            case TargetException _ -> ExitCode.TARGET;
            case UnreadableFileException e -> e.isAbsent() ? ExitCode.NOT_FOUND : ExitCode.SOURCE;
            case GuestException e -> switch (e.reason()) {
                case NOT_INSTALLED, NOT_STARTED -> ExitCode.TARGET;
                case ENDED, NO_FILE_SYSTEM -> ExitCode.SOURCE;
                case NOT_FOUND -> ExitCode.NOT_FOUND;
            };
            default -> ExitCode.INTERNAL;
        };
    }

    private static String sentence(Throwable cause) {
        if (cause instanceof OutOfMemoryError) {
            return "There is not enough memory: let AFTERIMAGE_HEAP be larger, 2g say.";
        }
        if (cause instanceof FileSystemException e && e.getReason() == null) {
            return switch (e) {
                case AccessDeniedException _ -> "This user may not use " + e.getFile()
                        + ": let another one run this; if it is for this host's cache or state, AFTERIMAGE_CACHE and AFTERIMAGE_STATE name other folders.";
                case NoSuchFileException _ -> "There is no " + e.getFile() + ".";
                case FileAlreadyExistsException _ -> e.getFile() + " is there already.";
                default -> e.getClass().getSimpleName().replace("Exception", "") + ": " + e.getMessage() + ".";
            };
        }
        String message = cause instanceof IOException || cause instanceof IllegalArgumentException ? cause.getMessage() : null;
        return message == null
                ? "Afterimage has failed in a way that should not be (" + cause + "): run it again with --stack-trace and report what it prints."
                : message.endsWith(".") ? message : message + ".";
    }
}
