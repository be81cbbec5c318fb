package io.afterimage.app.backup;

import io.afterimage.app.image.ImageLayer;
import io.afterimage.manifest.DiskName;
import io.afterimage.manifest.MachineName;
import io.afterimage.manifest.PointId;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.FileTime;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.time.Instant;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;

/**
 * Which image files of this host were read whole and found to be which disk of which point, so that a base image is not read again for
 * each machine that stands on it, nor an image that has not changed for its machine's next point. A file is known again by its device, inode, size, and times to the nanosecond: the kernel sets the time of
 * change at every write, and lets nobody set it; who writes through a mapping of the file is noticed only when a page of it is touched for the first time. Losing these notes costs another reading. Thread-safe, also between processes.
 */
final class SeenFiles {

    /** Of two writes within one tick of a file system's clock the second leaves no trace: what is so young proves nothing. */
    private static final Duration TICK = Duration.ofSeconds(2);

    /** So many are kept whatever their age; of more than that, the old ones go, which costs whom they were of use to another reading. */
    private static final int MOST_NOTES = 1000;

    private static final Duration LIFE = Duration.ofDays(90);

    /** Where the header of a qcow2 image has them; features are told from version 3 on. */
    private static final int VERSION = 4;

    private static final int INCOMPATIBLE_FEATURES = 72;
    private static final long EXTERNAL_DATA_FILE = 1 << 2;

    private final Path folder;

    SeenFiles(Path folder) {
        this.folder = folder;
    }

    /** The files of a backing chain, as they are at one moment. */
    record Stamp(String key) {}

    /**
     * The chain's stamp; empty when a layer is no file of this host that has all its bytes, or has just been changed. To be taken before what is to be proven is
     * read, and again afterwards.
     */
    static Optional<Stamp> stamp(List<ImageLayer> layers) throws IOException {
        StringBuilder text = new StringBuilder();
        for (ImageLayer layer : layers) {
            if (layer.file().isEmpty() || !Files.isRegularFile(layer.file().get()) || !hasAllItsBytes(layer.format(), layer.file().get())) {
                return Optional.empty();
            }
            Map<String, Object> file = Files.readAttributes(layer.file().get(), "unix:dev,ino,size,ctime,lastModifiedTime");
            FileTime changed = (FileTime) file.get("ctime");
            if (changed.toInstant().isAfter(Instant.now().minus(TICK))) {
                return Optional.empty();
            }
            text.append(layer.format()).append(' ').append(layer.size());
            for (String attribute : List.of("dev", "ino", "size")) {
                text.append(' ').append(file.get(attribute));
            }
            text.append(' ').append(changed.toInstant()).append(' ').append(((FileTime) file.get("lastModifiedTime")).toInstant()).append('\n');
        }
        return Optional.of(new Stamp(sha256(text.toString())));
    }

    /** Not a qcow2 image whose data lie in another file: what is written there leaves no trace in this one. Of other formats nothing is known. */
    private static boolean hasAllItsBytes(String format, Path file) throws IOException {
        if (!format.equals("qcow2")) {
            return format.equals("raw");
        }
        try (InputStream in = Files.newInputStream(file)) {
            ByteBuffer header = ByteBuffer.wrap(in.readNBytes(INCOMPATIBLE_FEATURES + Long.BYTES));
            return header.capacity() >= INCOMPATIBLE_FEATURES + Long.BYTES
                    && (header.getInt(VERSION) < 3 || (header.getLong(INCOMPATIBLE_FEATURES) & EXTERNAL_DATA_FILE) == 0);
        }
    }

    boolean contains(Stamp stamp, MachineName machine, PointId point, DiskName disk) throws IOException {
        return read(stamp).contains(line(machine, point, disk));
    }

    /** Notes that the files with that stamp show that disk. */
    void add(Stamp stamp, MachineName machine, PointId point, DiskName disk) throws IOException {
        Set<String> lines = new TreeSet<>(read(stamp));
        if (lines.add(line(machine, point, disk))) {
            Files.createDirectories(folder);
            Path fresh = Files.createTempFile(folder, stamp.key(), ".new");
            Files.write(fresh, lines);
            Files.move(fresh, file(stamp), StandardCopyOption.ATOMIC_MOVE);
            prune();
        }
    }

    /** A file that was written to since it was seen is never known again; its note only gets old. */
    private void prune() throws IOException {
        List<Path> notes;
        try (Stream<Path> files = Files.list(folder)) {
            notes = files.toList();
        }
        if (notes.size() > MOST_NOTES) {
            Instant old = Instant.now().minus(LIFE);
            for (Path note : notes) {
                if (Files.exists(note) && Files.getLastModifiedTime(note).toInstant().isBefore(old)) {
                    Files.deleteIfExists(note);
                }
            }
        }
    }

    private List<String> read(Stamp stamp) throws IOException {
        Path file = file(stamp);
        return Files.exists(file) ? Files.readAllLines(file) : List.of();
    }

    private Path file(Stamp stamp) {
        return folder.resolve(stamp.key());
    }

    private static String line(MachineName machine, PointId point, DiskName disk) {
        return machine + "/" + disk + "@" + point;
    }

    private static String sha256(String text) {
        try {
            return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8)));
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError("every Java platform has SHA-256", e);
        }
    }
}
