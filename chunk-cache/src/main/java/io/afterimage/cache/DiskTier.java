package io.afterimage.cache;

import io.afterimage.cache.DiskRecord.RepositoryKey;
import io.afterimage.chunk.ChunkAddress;
import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFileAttributes;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.SecureRandom;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Frames on this host's disk, as they lie in the store, encoded: an encrypted repository stays encrypted here. One folder serves all images, repositories and processes of a host, bounded
 * by bytes; it survives restarts. Nothing in it is believed: a frame that is read must be verified by who reads it, like one from the store, and {@linkplain #forget forgotten} if it is not whole.
 * Thread-safe.
 *
 * <p><b>How the folder is shared.</b> It holds {@linkplain SegmentFile segment files}, named by the time of their making. Each is written by one process, from begin to end, and never changed;
 * everybody reads all of them, and whoever needs room deletes the eldest, whosever it is. So nobody locks anything, a process that is killed leaves a file that is good up to
 * where it ends, and a reader whose file is deleted goes on reading it. Before a segment goes, what was read from it since it was written is written anew.
 *
 * <p>Failures to read are misses. At the first failure to write there is one warning, and no more is written by this process.
 */
public final class DiskTier implements Closeable {

    private static final Logger LOG = LoggerFactory.getLogger(DiskTier.class);

    private static final Pattern NAME = Pattern.compile("[0-9a-f]{16}-[0-9a-f]{16}\\.segment");
    private static final long LARGEST_SEGMENT = 64L << 20;
    private static final int MOST_SEGMENTS = 4096;
    /** What waits to be written, at most; what the disk cannot take as fast as the store delivers is not kept. */
    private static final int QUEUED_BYTES = 16 << 20;
    /** What is left free for others in the file system. */
    private static final long SPARE = 512L << 20;
    /** How often it is looked what other processes have written, while this one writes. */
    private static final int LOOK_EVERY_SECONDS = 5;

    private record Task(ChunkAddress place, byte[] frame) {}

    private static final Task LAST = new Task(null, new byte[0]);

    private final Path folder;
    private final long limit;
    private final long segmentBytes;
    private final RepositoryKey repository;
    private final InstantSource clock;
    private final SecureRandom random = new SecureRandom();

    /** Guards the fields below; never held over I/O of frames. */
    private final Object guard = new Object();
    private final FrameTable table = new FrameTable(number -> this.segments.containsKey(number));
    private final Map<Integer, SegmentFile> segments = new HashMap<>();
    private final Map<Path, Integer> numbers = new HashMap<>();
    private int lastNumber;
    private long bytes;

    private final LinkedBlockingQueue<Task> queue = new LinkedBlockingQueue<>();
    private final Semaphore room = new Semaphore(QUEUED_BYTES);
    private final Thread writing;
    /** The writing thread's own. */
    private SegmentWriter writer;
    private int writerNumber;

    private volatile boolean writable = true;
    private volatile boolean closed;
    private final LongAdder hits = new LongAdder();
    private final LongAdder damaged = new LongAdder();
    private final LongAdder stored = new LongAdder();
    private final LongAdder dropped = new LongAdder();

    private DiskTier(Path folder, long limit, String repositoryId, InstantSource clock) throws IOException {
        this.folder = folder;
        this.limit = limit;
        this.clock = clock;
        segmentBytes = Math.min(LARGEST_SEGMENT, limit / 16);
        repository = new RepositoryKey(HexFormat.fromHexDigitsToLong(repositoryId, 0, 16), HexFormat.fromHexDigitsToLong(repositoryId, 16, 32));
        look();
        writing = Thread.ofPlatform().daemon().name("disk-cache").start(this::write);
    }

    /**
     * Opens the folder, which is made if it is not there. Empty, after one warning, if it cannot be used.
     *
     * @param limit bytes that all who use the folder may keep there, each telling the same; at least 1 MiB
     * @param repositoryId whose frames this tier is for
     */
    public static Optional<DiskTier> open(Path folder, long limit, String repositoryId, InstantSource clock) {
        if (limit < 1 << 20) {
            throw new IllegalArgumentException("A cache on disk of " + limit + " bytes is of no use: give it 1M at least, or 0 for none.");
        }
        try {
            Files.createDirectories(folder, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
            Set<PosixFilePermission> permissions = Files.readAttributes(folder, PosixFileAttributes.class).permissions();
            if (permissions.contains(PosixFilePermission.OTHERS_WRITE) || permissions.contains(PosixFilePermission.GROUP_WRITE)) {
                throw new IOException("others may write to it; chmod 700 it");
            }
            return Optional.of(new DiskTier(folder, limit, repositoryId, clock));
        } catch (IOException | UnsupportedOperationException e) {
            LOG.warn("Nothing is cached on disk, since {} cannot be used: {}", folder, e.toString());
            return Optional.empty();
        }
    }

    /** Whether a frame of that place is probably here. Never blocks. */
    public boolean contains(ChunkAddress place) {
        synchronized (guard) {
            return table.find(place) != 0;
        }
    }

    /** The frame of that place, not verified; null if it is not here. */
    public byte[] read(ChunkAddress place, int length) {
        long found;
        SegmentFile segment;
        synchronized (guard) {
            found = table.find(place);
            segment = segments.get(FrameTable.segment(found));
        }
        if (found == 0) {
            return null;
        }
        byte[] frame = null;
        try {
            frame = segment.read(FrameTable.position(found), new DiskRecord(repository, place, length));
        } catch (IOException e) {
            LOG.debug("A cached frame cannot be read", e);
        }
        if (frame == null) {
            forget(place);
            return null;
        }
        hits.increment();
        synchronized (guard) {
            table.use(place);
        }
        return frame;
    }

    /** What was read did not verify: it is here no longer. */
    public void forget(ChunkAddress place) {
        damaged.increment();
        synchronized (guard) {
            table.forget(place);
        }
    }

    /** Keeps a frame that has been verified: {@code length} bytes from {@code offset} on, which are copied. Returns at once; what the disk is too slow for is not kept. */
    public void put(ChunkAddress place, byte[] frames, int offset, int length) {
        if (contains(place)) {
            return;
        }
        if (!writable || closed || !room.tryAcquire(length)) {
            dropped.increment();
            return;
        }
        queue.add(new Task(place, Arrays.copyOfRange(frames, offset, offset + length)));
    }

    private void write() {
        try {
            long lookAt = System.nanoTime();
            Task task = null;
            while (task != LAST) {
                task = queue.poll(LOOK_EVERY_SECONDS, TimeUnit.SECONDS);
                if (task != null && task != LAST) {
                    keep(task);
                    room.release(task.frame().length);
                }
                if (System.nanoTime() - lookAt > TimeUnit.SECONDS.toNanos(LOOK_EVERY_SECONDS)) {
                    lookAt = System.nanoTime();
                    look();
                }
            }
            if (writer != null) {
                writer.close();
            }
        } catch (InterruptedException e) {
            LOG.debug("The cache on disk is left as it is", e);
        } catch (IOException | RuntimeException e) {
            giveUp(e);
        }
    }

    private void keep(Task task) {
        if (!writable || contains(task.place())) {
            return;
        }
        try {
            append(task.place(), task.frame());
            stored.increment();
        } catch (IOException | RuntimeException e) {
            giveUp(e);
        }
    }

    private void giveUp(Exception failure) {
        if (writable) {
            writable = false;
            LOG.warn("No more is cached on disk, since {} cannot be written to: {}", folder, failure.toString());
        }
    }

    private void append(ChunkAddress place, byte[] frame) throws IOException {
        if (writer == null || writer.end() + DiskRecord.HEAD + frame.length > segmentBytes || !Files.exists(writer.path())) {
            roll();
        }
        long position = writer.append(new DiskRecord(repository, place, frame.length), frame);
        synchronized (guard) {
            table.put(place, writerNumber, position);
            bytes += DiskRecord.HEAD + frame.length;
        }
    }

    /** Ends the segment, makes room for another, and begins that with what is worth keeping of the ones that had to go. */
    private void roll() throws IOException {
        if (writer != null) {
            writer.close();
            writer = null;
        }
        look();
        List<Task> rescued = new ArrayList<>();
        List<Path> eldestFirst = listing();
        long spareBytes = Math.max(0, Files.getFileStore(folder).getUsableSpace() - SPARE);
        long over = Math.max(bytes + segmentBytes - limit, segmentBytes - spareBytes);
        for (int i = 0; i < eldestFirst.size() && (over > 0 || eldestFirst.size() - i > MOST_SEGMENTS); i++) {
            over -= evict(eldestFirst.get(i), rescued);
        }
        if (over > 0) {
            throw new IOException("the file system is full");
        }
        Path path = folder.resolve(HexFormat.of().toHexDigits(clock.millis()) + "-" + HexFormat.of().toHexDigits(random.nextLong()) + ".segment");
        writer = new SegmentWriter(path);
        SegmentFile reading = SegmentFile.open(path).orElseThrow(() -> new IOException("a file just written reads as another"));
        synchronized (guard) {
            writerNumber = ++lastNumber;
            segments.put(writerNumber, reading);
            numbers.put(path, writerNumber);
        }
        long budget = segmentBytes / 2;
        for (Task task : rescued) {
            budget -= DiskRecord.HEAD + task.frame().length;
            if (budget >= 0) {
                append(task.place(), task.frame());
            }
        }
    }

    /** Deletes a segment; the bytes that this gave back. */
    private long evict(Path path, List<Task> rescued) throws IOException {
        SegmentFile segment;
        long[] used;
        synchronized (guard) {
            Integer number = numbers.remove(path);
            used = number == null ? new long[0] : table.used(number);
            segment = number == null ? null : segments.remove(number);
        }
        for (long position : used) {
            rescue(segment, position).ifPresent(rescued::add);
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

    private Optional<Task> rescue(SegmentFile segment, long position) {
        try {
            DiskRecord record = segment.recordAt(position);
            byte[] frame = record == null || !record.repository().equals(repository) ? null : segment.read(position, record);
            return frame == null ? Optional.empty() : Optional.of(new Task(record.place(), frame));
        } catch (IOException e) {
            return Optional.empty();
        }
    }

    private List<Path> listing() throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.filter(path -> NAME.matcher(path.getFileName().toString()).matches()).sorted().toList();
        }
    }

    /** Sees what other processes have written and deleted. */
    void look() throws IOException {
        List<Path> there = listing();
        long total = 0;
        for (Path path : there) {
            total += look(path);
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

    private long look(Path path) {
        try {
            Integer number;
            SegmentFile segment;
            synchronized (guard) {
                number = numbers.get(path);
                segment = number == null ? null : segments.get(number);
            }
            if (segment == null) {
                segment = SegmentFile.open(path).orElse(null);
            }
            if (segment != null && (writer == null || !path.equals(writer.path()))) {
                List<SegmentFile.Found> more = segment.more();
                synchronized (guard) {
                    if (number == null) {
                        number = ++lastNumber;
                        segments.put(number, segment);
                        numbers.put(path, number);
                    }
                    for (SegmentFile.Found found : more) {
                        if (found.record().repository().equals(repository)) {
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

    /** What it holds and has seen so far. */
    public DiskStatistics statistics() {
        synchronized (guard) {
            return new DiskStatistics(limit, bytes, hits.sum(), damaged.sum(), stored.sum(), dropped.sum());
        }
    }

    /** Writes what waits to be written, and leaves all of it for the next process. */
    @Override
    public void close() {
        closed = true;
        queue.add(LAST);
        try {
            writing.join();
            for (SegmentFile segment : segments.values()) {
                segment.close();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (IOException e) {
            LOG.debug("A segment cannot be closed", e);
        }
    }
}
