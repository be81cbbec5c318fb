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
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;
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

    private static final long LARGEST_SEGMENT = 64L << 20;
    private static final int MOST_SEGMENTS = 4096;
    /** What waits to be written, at most; what the disk cannot take as fast as the store delivers is not kept. */
    private static final int QUEUED_BYTES = 16 << 20;
    /** What is left free for others in the file system. */
    private static final long SPARE = 512L << 20;
    /** How often it is looked what other processes have written, while this one writes. */
    private static final int LOOK_EVERY_SECONDS = 5;

    @SuppressWarnings("ArrayRecordComponent") // written once and never compared
    private record Task(ChunkAddress place, byte[] frame) {

        /** Comes when no more will. */
        static final Task LAST = new Task(null, new byte[0]);

        boolean isLast() {
            return place == null;
        }
    }

    private final Path folder;
    private final long limit;
    private final long segmentBytes;
    private final RepositoryKey repository;
    private final InstantSource clock;
    private final SecureRandom random = new SecureRandom();

    private final SegmentFolder segments;
    private final LinkedBlockingQueue<Task> queue = new LinkedBlockingQueue<>();
    private final Semaphore room = new Semaphore(QUEUED_BYTES);
    private final Thread writing;
    /** The writing thread's own. */
    private volatile SegmentWriter writer;
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
        segments = new SegmentFolder(folder, repository);
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
        return segments.contains(place);
    }

    /** The frame of that place, {@code length} bytes long, not verified; null if it is not here. */
    public byte[] read(ChunkAddress place, int length) {
        if (!segments.contains(place)) {
            return null;
        }
        try {
            Optional<byte[]> frame = segments.read(place, length);
            if (frame.isPresent()) {
                hits.increment();
                return frame.get();
            }
        } catch (IOException e) {
            LOG.debug("A cached frame cannot be read", e);
        }
        forget(place);
        return null;
    }

    /** What was read did not verify: it is here no longer. */
    public void forget(ChunkAddress place) {
        damaged.increment();
        segments.forget(place);
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
            boolean ended = false;
            while (!ended) {
                Task task = queue.poll(LOOK_EVERY_SECONDS, TimeUnit.SECONDS);
                ended = task != null && task.isLast();
                if (task != null && !ended) {
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
        DiskRecord record = new DiskRecord(repository, place, frame.length);
        segments.added(writerNumber, writer.append(record, frame), record);
    }

    /** Ends the segment, makes room for another, and begins that with what is worth keeping of the ones that had to go. */
    private void roll() throws IOException {
        if (writer != null) {
            writer.close();
            writer = null;
        }
        look();
        List<SegmentFolder.Rescued> rescued = new ArrayList<>();
        List<Path> eldestFirst = segments.listing();
        long spareBytes = Math.max(0, Files.getFileStore(folder).getUsableSpace() - SPARE);
        long over = Math.max(segments.bytes() + segmentBytes - limit, segmentBytes - spareBytes);
        for (int i = 0; i < eldestFirst.size() && (over > 0 || eldestFirst.size() - i > MOST_SEGMENTS); i++) {
            over -= segments.evict(eldestFirst.get(i), rescued);
        }
        if (over > 0) {
            throw new IOException("the file system is full");
        }
        Path path = folder.resolve(HexFormat.of().toHexDigits(clock.millis()) + "-" + HexFormat.of().toHexDigits(random.nextLong()) + ".segment");
        writer = new SegmentWriter(path);
        writerNumber = segments.begin(path);
        long budget = segmentBytes / 2;
        for (SegmentFolder.Rescued each : rescued) {
            budget -= DiskRecord.HEAD + each.frame().length;
            if (budget >= 0) {
                append(each.place(), each.frame());
            }
        }
    }

    /** Sees what other processes have written and deleted. */
    void look() throws IOException {
        segments.look(Optional.ofNullable(writer).map(SegmentWriter::path));
    }

    /** What it holds and has seen so far. */
    public DiskStatistics statistics() {
        return new DiskStatistics(limit, segments.bytes(), hits.sum(), damaged.sum(), stored.sum(), dropped.sum());
    }

    /** Writes what waits to be written, and leaves all of it for the next process. */
    @Override
    public void close() {
        closed = true;
        queue.add(Task.LAST);
        try {
            writing.join();
            segments.close();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (IOException e) {
            LOG.debug("A segment cannot be closed", e);
        }
    }
}
