package io.afterimage.store.file;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.util.Arrays;
import java.util.Set;
import java.util.concurrent.ThreadLocalRandom;
import java.util.regex.Pattern;

/**
 * An object on its way into a folder: written and synced, under a name that is not an object's. The tilde is not in the
 * alphabet of keys, so such a file is never listed, read or overwritten as an object.
 */
record TemporaryFile(Path path) {

    private static final Pattern NAME = Pattern.compile("~[0-9a-f]{16}");
    private static final FileAttribute<Set<PosixFilePermission>> OWNER_ONLY =
            PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------"));
    private static final Set<StandardOpenOption> NEW = Set.of(StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);

    /** Writes the buffers' bytes, leaving the buffers as they are. When it throws, nothing is left behind, if that can be helped. */
    static TemporaryFile write(Path folder, ByteBuffer... content) throws IOException {
        Path path = folder.resolve("~%016x".formatted(ThreadLocalRandom.current().nextLong()));
        TemporaryFile file = new TemporaryFile(path);
        ByteBuffer[] parts = Arrays.stream(content).map(ByteBuffer::duplicate).toArray(ByteBuffer[]::new);
        try (FileChannel channel = FileChannel.open(path, NEW, OWNER_ONLY)) {
            if (parts.length > 0) {
                UncachedFile.write(path, parts[0]);
                channel.position(parts[0].position() - content[0].position());
            }
            long remaining = Arrays.stream(parts).mapToLong(ByteBuffer::remaining).sum();
            while (remaining > 0) {
                remaining -= channel.write(parts);
            }
            channel.force(false);
        } catch (IOException e) {
            throw file.discard(e);
        }
        return file;
    }

    void renameTo(Path target) throws IOException {
        try {
            Files.move(path, target, StandardCopyOption.ATOMIC_MOVE);
        } catch (IOException e) {
            throw discard(e);
        }
    }

    private IOException discard(IOException reason) {
        try {
            Files.deleteIfExists(path);
        } catch (IOException e) {
            reason.addSuppressed(e);
        }
        return reason;
    }

    /** Removes those below {@code folder} that were last written to before an instant. */
    static void removeAll(Path folder, Instant before) throws IOException {
        try (DirectoryStream<Path> entries = Files.newDirectoryStream(folder)) {
            for (Path entry : entries) {
                if (Files.isDirectory(entry, LinkOption.NOFOLLOW_LINKS)) {
                    removeAll(entry, before);
                } else if (NAME.matcher(entry.getFileName().toString()).matches()) {
                    removeIfOld(entry, before);
                }
            }
        } catch (DirectoryIteratorException e) {
            throw e.getCause();
        }
    }

    private static void removeIfOld(Path file, Instant before) throws IOException {
        try {
            BasicFileAttributes attributes = Folders.attributes(file);
            if (attributes.isRegularFile() && attributes.lastModifiedTime().toInstant().isBefore(before)) {
                Files.deleteIfExists(file);
            }
        } catch (NoSuchFileException e) {
            // Its PUT has just ended.
        }
    }
}
