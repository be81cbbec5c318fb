package io.afterimage.store.file;

import io.afterimage.store.KeyPrefix;
import io.afterimage.store.ListPage;
import io.afterimage.store.ObjectInfo;
import io.afterimage.store.ObjectKey;
import io.afterimage.store.ObjectNotFoundException;
import io.afterimage.store.ObjectStore;
import io.afterimage.store.Operation;
import io.afterimage.store.Problem;
import io.afterimage.store.StoreException;
import io.afterimage.store.StoreException.Outcome;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.ClosedChannelException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * A store whose objects are the files of a folder, an object's key being its path in there.
 *
 * <p><b>PUT</b> writes a file of a name that no object can have ({@link TemporaryFile}) into the object's own folder, past the page cache where that is worth
 * while and possible ({@link UncachedFile}), syncs it, renames it over
 * the object and syncs the folder: a crash leaves the old object or the new one, and at worst a temporary file that no LIST shows.
 * <b>DELETE</b> returns when the folders are synced, so that deletions reach the disk in the order they were made in.
 * <b>GET</b> keeps files open between calls; each call checks by one stat that the open file is still the one of that name.
 *
 * <p>The folder's identity is taken when it is opened. If it is no longer there, or another one stands in its place (its file
 * system was unmounted), every call fails. Links are never followed below the folder. Files and folders are made for
 * the owner alone (0600, 0700).
 */
public final class FileObjectStore implements ObjectStore {

    private static final int OPEN_FILES = 128;

    private final Folders folders;
    private final OpenFiles files = new OpenFiles(OPEN_FILES);

    private FileObjectStore(Folders folders) {
        this.folders = folders;
    }

    /** Opens a folder that must be there; {@link Problem#STORE_MISSING} if it is not. */
    public static FileObjectStore open(Path root) throws StoreException {
        try {
            return new FileObjectStore(Folders.open(root));
        } catch (IOException e) {
            throw FileFailures.classify(Operation.LIST, "", root, e);
        }
    }

    /** Makes the folder, and those above it, where they are not there yet, and opens it. */
    public static FileObjectStore create(Path root) throws StoreException {
        try {
            return new FileObjectStore(Folders.create(root));
        } catch (IOException e) {
            throw FileFailures.classify(Operation.PUT, "", root, e);
        }
    }

    private interface FileAction<T> {
        T run() throws IOException;
    }

    private <T> T run(Operation operation, String subject, FileAction<T> action) throws StoreException {
        try {
            if (Thread.currentThread().isInterrupted()) {
                throw new ClosedByInterruptException();
            }
            folders.checkRoot();
            return action.run();
        } catch (StoreException e) {
            throw e;
        } catch (IOException e) {
            throw FileFailures.classify(operation, subject, folders.root(), e);
        }
    }

    @Override
    public void put(ObjectKey key, ByteBuffer... content) throws StoreException {
        run(Operation.PUT, key.value(), () -> {
            Path target = folders.provide(key);
            folders.checkReplaceable(target);
            TemporaryFile.write(target.getParent(), content).renameTo(target);
            files.forget(key);
            try {
                Folders.sync(target.getParent());
            } catch (IOException e) {
                throw new StoreException(Operation.PUT, key.value(), toString(), FileFailures.problem(e, folders.root()), Outcome.AMBIGUOUS, e);
            }
            return null;
        });
    }

    @Override
    public void get(ObjectKey key, long offset, ByteBuffer target) throws StoreException {
        if (!target.hasRemaining()) {
            return;
        }
        reading(key, file -> {
            ByteBuffer view = target.duplicate();
            fill(key, file, offset, view);
            target.position(view.position());
            return null;
        });
    }

    @Override
    public byte[] getWhole(ObjectKey key, int maxBytes) throws StoreException {
        return reading(key, file -> {
            // A file is never changed once it has an object's name, so its size is final.
            long size = file.channel().size();
            if (size > maxBytes) {
                throw new StoreException(Operation.GET, key.value(), toString(), Problem.TOO_LARGE, Outcome.FATAL, null);
            }
            ByteBuffer content = ByteBuffer.allocate((int) size);
            fill(key, file, 0, content);
            return content.array();
        });
    }

    private void fill(ObjectKey key, OpenFiles.OpenFile file, long offset, ByteBuffer target) throws IOException {
        long next = offset;
        while (target.hasRemaining()) {
            int count = file.channel().read(target, next);
            if (count < 0) {
                throw new StoreException(Operation.GET, key.value(), toString(), Problem.TOO_SHORT, Outcome.FATAL, null);
            }
            next += count;
        }
    }

    private interface Reading<T> {
        T run(OpenFiles.OpenFile file) throws IOException;
    }

    private <T> T reading(ObjectKey key, Reading<T> reading) throws StoreException {
        return run(Operation.GET, key.value(), () -> {
            while (true) {
                try (OpenFiles.OpenFile file = files.open(folders, key)) {
                    return reading.run(file);
                } catch (ClosedByInterruptException e) {
                    throw e;
                } catch (ClosedChannelException e) {
                    // Another reader of this file was interrupted, which closes the file under all of them: open it again.
                } catch (NoSuchFileException e) {
                    folders.checkRoot();
                    throw new ObjectNotFoundException(key, toString(), e);
                }
            }
        });
    }

    @Override
    public ListPage list(KeyPrefix prefix, Optional<ObjectKey> after) throws StoreException {
        return run(Operation.LIST, prefix.value(), () -> {
            List<ObjectInfo> found = new ArrayList<>();
            boolean last = new FolderWalk(prefix, after, object -> {
                if (found.size() == PAGE) {
                    return false;
                }
                found.add(object);
                return true;
            }).walk(folders.root());
            folders.checkRoot();
            return new ListPage(found, last);
        });
    }

    @Override
    public void delete(Collection<ObjectKey> keys) throws StoreException {
        ObjectStore.checkDeletable(keys);
        run(Operation.DELETE, keys.size() == 1 ? keys.iterator().next().value() : "", () -> {
            Set<Path> changed = new HashSet<>();
            for (ObjectKey key : keys) {
                try {
                    Path path = folders.locate(key);
                    folders.checkReplaceable(path);
                    files.forget(key);
                    if (Files.deleteIfExists(path)) {
                        changed.add(path.getParent());
                    }
                } catch (NoSuchFileException e) {
                    // Not even its folder is there.
                }
            }
            for (Path folder : changed) {
                Folders.sync(folder);
            }
            return null;
        });
    }

    @Override
    public void removeLeftovers(Instant before) throws StoreException {
        run(Operation.DELETE, "", () -> {
            TemporaryFile.removeAll(folders.root(), before);
            return null;
        });
    }

    @Override
    public void close() throws StoreException {
        try {
            files.close();
        } catch (IOException e) {
            throw FileFailures.classify(Operation.GET, "", folders.root(), e);
        }
    }

    @Override
    public String toString() {
        return folders.root().toString();
    }
}
