package io.afterimage.image;

import io.afterimage.catalog.LastingHolds;
import io.afterimage.overlay.OverlayDevice;
import io.afterimage.overlay.OverlayException;
import io.afterimage.overlay.OverlayException.Reason;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.UUID;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * How overlays come and go. One comes under a hidden name, is made durable, and then gets its own; it goes the other way. A hidden folder that a process has left behind
 * is swept away by the next that makes or removes one, and its hold with it: so no crash leaves a hold without an overlay for longer than that, nor ever an overlay without a hold.
 */
final class OverlayFolders {

    static final Logger LOG = LoggerFactory.getLogger(OverlayFolders.class);
    static final String DESCRIPTOR = "overlay.json";

    private static final String HIDDEN = ".";
    private static final String LOCK = ".lock";
    private static final FileAttribute<?> OWNER_ALONE = PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------"));
    private static final Object IN_THIS_PROCESS = new Object();

    private final Path folder;
    private final LastingHolds holds;

    OverlayFolders(Path folder, LastingHolds holds) {
        this.folder = folder;
        this.holds = holds;
    }

    /** What is done while nobody else makes or removes an overlay. */
    @FunctionalInterface
    interface Step {
        void run() throws IOException;
    }

    Path folder(OverlayName name) {
        return folder.resolve(name.text());
    }

    List<OverlayName> names() throws IOException {
        if (!Files.isDirectory(folder)) {
            return List.of();
        }
        try (Stream<Path> entries = Files.list(folder)) {
            return entries.map(entry -> entry.getFileName().toString()).filter(OverlayName::isValid).map(OverlayName::new).sorted().toList();
        }
    }

    /** @param hold holds the base; undone if the overlay does not come to be after it */
    void create(Overlay overlay, Step hold) throws IOException {
        Files.createDirectories(folder, OWNER_ALONE);
        alone(() -> {
            if (Files.exists(folder(overlay.name()))) {
                throw new OverlayException(
                        Reason.EXISTS,
                        "There is an overlay '" + overlay.name() + "' already: choose another name, or end that one with 'afterimage discard' or 'commit'.");
            }
            Path making = Files.createDirectory(folder.resolve(HIDDEN + UUID.randomUUID()), OWNER_ALONE);
            try {
                writeDurably(making.resolve(DESCRIPTOR), overlay.toJson());
                OverlayDevice.create(making, overlay.size());
                hold.run();
                sync(making);
                Files.move(making, folder(overlay.name()), StandardCopyOption.ATOMIC_MOVE);
                sync(folder);
            } finally {
                sweepAll();
            }
        });
    }

    /** Takes an overlay, which nobody uses, from the others; returns what is to be swept. */
    Path retire(OverlayName name) throws IOException {
        Path gone = folder.resolve(HIDDEN + UUID.randomUUID());
        alone(() -> {
            Files.move(folder(name), gone, StandardCopyOption.ATOMIC_MOVE);
            sync(folder);
        });
        return gone;
    }

    /** Removes what was retired, and the hold. */
    void sweep(Path retired) throws IOException {
        alone(() -> remove(retired));
    }

    private void sweepAll() throws IOException {
        List<Path> left;
        try (Stream<Path> entries = Files.list(folder)) {
            left = entries.filter(entry -> entry.getFileName().toString().startsWith(HIDDEN) && Files.isDirectory(entry)).toList();
        }
        for (Path each : left) {
            try {
                remove(each);
            } catch (IOException e) {
                LOG.warn("What is left of an overlay in {} could not be removed; the next that is made or discarded tries again.", each, e);
            }
        }
    }

    /** The descriptor goes last: it names the hold. */
    private void remove(Path retired) throws IOException {
        Path descriptor = retired.resolve(DESCRIPTOR);
        List<Path> files;
        try (Stream<Path> entries = Files.list(retired)) {
            files = entries.filter(file -> !file.equals(descriptor)).toList();
        } catch (NoSuchFileException e) {
            return;
        }
        for (Path file : files) {
            Files.delete(file);
        }
        if (Files.exists(descriptor)) {
            release(descriptor);
            Files.delete(descriptor);
        }
        Files.delete(retired);
    }

    private void release(Path descriptor) throws IOException {
        try {
            holds.remove(Overlay.parse(new OverlayName("gone"), Files.readAllBytes(descriptor)).hold());
        } catch (OverlayException e) {
            LOG.warn("Which lease in leases/read/ held what a removed overlay stood on cannot be told; look for those that expire in 9999.", e);
        }
    }

    private void alone(Step step) throws IOException {
        synchronized (IN_THIS_PROCESS) {
            try (FileChannel channel =
                    FileChannel.open(folder.resolve(LOCK), StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
                channel.lock();
                step.run();
            }
        }
    }

    private static void writeDurably(Path file, byte[] bytes) throws IOException {
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
            ByteBuffer left = ByteBuffer.wrap(bytes);
            while (left.hasRemaining()) {
                channel.write(left);
            }
            channel.force(true);
        }
    }

    private static void sync(Path folder) throws IOException {
        try (FileChannel channel = FileChannel.open(folder, StandardOpenOption.READ)) {
            channel.force(true);
        }
    }
}
