package io.afterimage.cache;

import io.afterimage.cache.DiskRecord.RepositoryKey;
import io.afterimage.chunk.ChunkAddress;
import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The segment files of a folder as one process sees them, and where in them the frames of its repository lie. Thread-safe. */
final class SegmentFolder implements Closeable {

    private static final Logger LOG = LoggerFactory.getLogger(SegmentFolder.class);
    private static final Pattern NAME = Pattern.compile("[0-9a-f]{16}-[0-9a-f]{16}\\.segment");

    /** A frame that was found in a segment, not verified. */
    @SuppressWarnings("ArrayRecordComponent") // handed on and never compared
    record Rescued(ChunkAddress place, byte[] frame) {}

    private final Path folder;
    private final RepositoryKey repository;

    /** Guards the fields below; never held over I/O. */
    private final Object guard = new Object();
    private final FrameTable table = new FrameTable(number -> this.segments.containsKey(number));
    private final Map<Integer, SegmentFile> segments = new HashMap<>();
    private final Map<Path, Integer> numbers = new HashMap<>();
    private int lastNumber;
    private long bytes;

    SegmentFolder(Path folder, RepositoryKey repository) throws IOException {
        this.folder = folder;
        this.repository = repository;
        look(Optional.empty());
    }

    /** Bytes in all segments, as of the last look and what was added since. */
    long bytes() {
        synchronized (guard) {
            return bytes;
        }
    }

    boolean contains(ChunkAddress place) {
        synchronized (guard) {
            return table.find(place) != 0;
        }
    }

    void forget(ChunkAddress place) {
        synchronized (guard) {
            table.forget(place);
        }
    }

    /** The frame of that place, not verified; empty if it is not remembered, or not found where it should be. */
    Optional<byte[]> read(ChunkAddress place, int length) throws IOException {
        long found;
        SegmentFile segment;
        synchronized (guard) {
            found = table.find(place);
            segment = segments.get(FrameTable.segment(found));
        }
        byte[] frame = found == 0 ? null : segment.read(FrameTable.position(found), new DiskRecord(repository, place, length));
        if (frame != null) {
            synchronized (guard) {
                table.use(place);
            }
        }
        return Optional.ofNullable(frame);
    }

    /** Takes note of a file that this process begins to write; its number. */
    int begin(Path path) throws IOException {
        SegmentFile reading = SegmentFile.open(path).orElseThrow(() -> new IOException("a file just written reads as another"));
        synchronized (guard) {
            lastNumber++;
            segments.put(lastNumber, reading);
            numbers.put(path, lastNumber);
            return lastNumber;
        }
    }

    /** Takes note of a record that this process has written. */
    void added(int segment, long position, DiskRecord record) {
        synchronized (guard) {
            table.put(record.place(), segment, position);
            bytes += DiskRecord.HEAD + record.length();
        }
    }

    /** All segments that are there, the eldest first, whosever they are. */
    List<Path> listing() throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.filter(path -> NAME.matcher(path.getFileName().toString()).matches()).sorted().toList();
        }
    }

    /**
     * Deletes a segment.
     *
     * @param used receives what was read from it
     * @return the bytes that this gave back
     */
    long evict(Path path, List<Rescued> used) throws IOException {
        SegmentFile segment;
        long[] positions;
        synchronized (guard) {
            Integer number = numbers.remove(path);
            positions = number == null ? new long[0] : table.used(number);
            segment = number == null ? null : segments.remove(number);
        }
        for (long position : positions) {
            rescue(segment, position).ifPresent(used::add);
        }
        long size = Files.exists(path) ? Files.size(path) : 0;
        Files.deleteIfExists(path);
        if (segment != null) {
            segment.close();
        }
        synchronized (guard) {
            bytes -= size;
        }
        return size;
    }

    private Optional<Rescued> rescue(SegmentFile segment, long position) {
        try {
            DiskRecord record = segment.recordAt(position);
            byte[] frame = record == null || !record.repository().equals(repository) ? null : segment.read(position, record);
            return frame == null ? Optional.empty() : Optional.of(new Rescued(record.place(), frame));
        } catch (IOException e) {
            return Optional.empty();
        }
    }

    /**
     * Sees what other processes have written and deleted.
     *
     * @param own the file that this process writes, whose records it knows
     */
    synchronized void look(Optional<Path> own) throws IOException {
        List<Path> there = listing();
        long total = 0;
        for (Path path : there) {
            total += look(path, own.filter(path::equals).isPresent());
        }
        List<SegmentFile> gone = new ArrayList<>();
        synchronized (guard) {
            bytes = total;
            Set<Path> vanished = new HashSet<>(numbers.keySet());
            there.forEach(vanished::remove);
            for (Path path : vanished) {
                gone.add(segments.remove(numbers.remove(path)));
            }
        }
        for (SegmentFile segment : gone) {
            segment.close();
        }
    }

    private long look(Path path, boolean own) {
        try {
            SegmentFile segment = segment(path);
            if (segment != null && !own) {
                List<SegmentFile.Found> more = segment.more();
                synchronized (guard) {
                    Integer number = numbers.get(path);
                    for (SegmentFile.Found found : more) {
                        if (number != null && found.record().repository().equals(repository)) {
                            table.put(found.record().place(), number, found.position());
                        }
                    }
                }
            }
            return Files.size(path);
        } catch (IOException e) {
            LOG.debug("A segment cannot be read", e);
            return 0;
        }
    }

    /** The segment of that path, opened if it is new; null if it is none of this version. */
    private SegmentFile segment(Path path) throws IOException {
        synchronized (guard) {
            Integer number = numbers.get(path);
            if (number != null) {
                return segments.get(number);
            }
        }
        SegmentFile segment = SegmentFile.open(path).orElse(null);
        if (segment != null) {
            synchronized (guard) {
                lastNumber++;
                segments.put(lastNumber, segment);
                numbers.put(path, lastNumber);
            }
        }
        return segment;
    }

    @Override
    public void close() throws IOException {
        List<SegmentFile> open;
        synchronized (guard) {
            open = List.copyOf(segments.values());
            segments.clear();
            numbers.clear();
        }
        for (SegmentFile segment : open) {
            segment.close();
        }
    }
}
