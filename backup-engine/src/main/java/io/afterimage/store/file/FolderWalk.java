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
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
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

    /** True if the walk came to its end, false if the visitor ended it. */
    boolean walk(Path root) throws IOException {
        return walk(root, "");
    }

    private boolean walk(Path folder, String folderKey) throws IOException {
        for (Map.Entry<String, BasicFileAttributes> entry : entries(folder).entrySet()) {
            String key = folderKey + entry.getKey();
            BasicFileAttributes attributes = entry.getValue();
            if (attributes.isDirectory()) {
                if (mayHoldWanted(key) && !walkSubfolder(folder, key, entry.getKey())) {
                    return false;
                }
            } else if (key.startsWith(prefix) && key.compareTo(after) > 0 && ObjectKey.isValid(key)) {
                if (!visitor.test(new ObjectInfo(new ObjectKey(key), attributes.size(), attributes.lastModifiedTime().toInstant()))) {
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

    /** Files by name and folders by name and slash; links and special files are no objects. */
    private static Map<String, BasicFileAttributes> entries(Path folder) throws IOException {
        Map<String, BasicFileAttributes> entries = new TreeMap<>();
        try (DirectoryStream<Path> stream = Files.newDirectoryStream(folder)) {
            for (Path entry : stream) {
                String name = entry.getFileName().toString();
                if (ObjectKey.isSegment(name)) {
                    add(entries, entry, name);
                }
            }
        } catch (DirectoryIteratorException e) {
            throw e.getCause();
        }
        return entries;
    }

    private static void add(Map<String, BasicFileAttributes> entries, Path entry, String name) throws IOException {
        try {
            BasicFileAttributes attributes = Folders.attributes(entry);
            if (attributes.isDirectory()) {
                entries.put(name + '/', attributes);
            } else if (attributes.isRegularFile()) {
                entries.put(name, attributes);
            }
        } catch (NoSuchFileException e) {
            // Removed since.
        }
    }
}
