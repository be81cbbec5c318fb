package io.afterimage.store.file;

import io.afterimage.store.KeyPrefix;
import io.afterimage.store.ObjectInfo;
import io.afterimage.store.ObjectKey;
import java.io.IOException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.NavigableSet;
import java.util.Optional;
import java.util.TreeSet;
import java.util.function.Predicate;

/**
 * Goes through a tree of files in the order of their keys, without looking into folders that can hold nothing wanted.
 *
 * <p>Keys are compared as whole strings, slashes included, so {@code a-b} comes before {@code a/b} and that before {@code a0}: within
 * a folder, subfolders sort by their name <em>with</em> the slash.
 */
final class FolderWalk {

    private final String prefix;
    private final String after;
    private final Predicate<ObjectInfo> visitor;

    /** @param visitor is shown each object; false ends the walk */
    FolderWalk(KeyPrefix prefix, Optional<ObjectKey> after, Predicate<ObjectInfo> visitor) {
        this.prefix = prefix.value();
        this.after = after.map(ObjectKey::value).orElse("");
        this.visitor = visitor;
    }

    /**
     * True if the walk came to its end, false if the visitor ended it.
     *
     * @throws ForeignFileException if there is a link where an object or a folder of some may be wanted
     */
    boolean walk(Path root) throws IOException {
        return walk(root, "");
    }

    /** Looks at each entry only when its turn comes: who takes a page of a large folder shall not wait for all of it. */
    private boolean walk(Path folder, String folderKey) throws IOException {
        NavigableSet<String> left = names(folder);
        for (String name = left.pollFirst(); name != null; name = left.pollFirst()) {
            String key = folderKey + name;
            if (name.endsWith("/")) {
                if (!walkSubfolder(folder, key, name)) {
                    return false;
                }
                continue;
            }
            boolean fileWanted = key.startsWith(prefix) && key.compareTo(after) > 0 && ObjectKey.isValid(key);
            boolean folderWanted = mayHoldWanted(key + '/');
            if (!fileWanted && !folderWanted) {
                continue;
            }
            Optional<BasicFileAttributes> found = attributes(folder.resolve(name));
            if (folderWanted && found.filter(BasicFileAttributes::isDirectory).isPresent()) {
                left.add(name + '/');
            } else if (found.filter(BasicFileAttributes::isSymbolicLink).isPresent()) {
                // Passed over it would be a listing without what lies behind it, by which gc deletes.
                throw new ForeignFileException(folder.resolve(name));
            } else if (fileWanted && found.filter(BasicFileAttributes::isRegularFile).isPresent()) {
                BasicFileAttributes file = found.get();
                if (!visitor.test(new ObjectInfo(new ObjectKey(key), file.size(), file.lastModifiedTime().toInstant()))) {
                    return false;
                }
            }
        }
        return true;
    }

    private boolean walkSubfolder(Path folder, String key, String name) throws IOException {
        try {
            return walk(folder.resolve(name), key);
        } catch (NoSuchFileException e) {
            return true; // Removed since its parent was read.
        }
    }

    /** @param key a folder's, with its slash */
    private boolean mayHoldWanted(String key) {
        boolean underPrefix = key.startsWith(prefix) || prefix.startsWith(key);
        boolean notAllBefore = after.compareTo(key) < 0 || after.startsWith(key);
        return underPrefix && notAllBefore;
    }

    /** What may be objects or hold some. */
    private static NavigableSet<String> names(Path folder) throws IOException {
        NavigableSet<String> names = new TreeSet<>();
        try (DirectoryStream<Path> stream = Files.newDirectoryStream(folder)) {
            for (Path entry : stream) {
                String name = entry.getFileName().toString();
                if (ObjectKey.isSegment(name)) {
                    names.add(name);
                }
            }
        } catch (DirectoryIteratorException e) {
            throw e.getCause();
        }
        return names;
    }

    /** Empty if it was removed since its folder was read; special files are neither files nor folders. */
    private static Optional<BasicFileAttributes> attributes(Path entry) throws IOException {
        try {
            return Optional.of(Folders.attributes(entry));
        } catch (NoSuchFileException e) {
            return Optional.empty();
        }
    }
}
