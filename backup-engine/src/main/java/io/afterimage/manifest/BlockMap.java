package io.afterimage.manifest;

import io.afterimage.block.ByteRange;
import io.afterimage.block.Extent;
import io.afterimage.chunk.ChunkAddress;
import io.afterimage.chunk.ChunkSize;
import io.afterimage.chunk.PackId;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.IntStream;

/**
 * The complete map of one disk at one point: where each chunk's frame lies. A chunk that is not in the map is all zeros.
 * Immutable and thread-safe. Segments are decoded, and checked, when first asked for; in memory a map takes about a byte a
 * chunk, more where the disk lies in many short runs.
 *
 * <p>Of a map that nobody has {@linkplain #check checked} whole, any method that looks into it may find that it is damaged there, and throws an
 * {@link UncheckedIOException} of a {@link CorruptManifestException}: nothing is told of that part, and the others are as good as before.
 */
public final class BlockMap {

    private final long diskSize;
    private final ChunkSize chunkSize;
    private final PackTable packs;
    private final StoredSegment[] segments;
    private volatile boolean checked;

    /** @param encoded the bytes of each segment, from anywhere */
    BlockMap(long diskSize, ChunkSize chunkSize, PackTable packs, byte[][] encoded) {
        this.diskSize = diskSize;
        this.chunkSize = chunkSize;
        this.packs = packs;
        segments = new StoredSegment[encoded.length];
        for (int i = 0; i < encoded.length; i++) {
            segments[i] = encoded[i].length == 0 ? StoredSegment.EMPTY : new StoredSegment(encoded[i]);
        }
    }

    private BlockMap(BlockMap same, StoredSegment[] segments) {
        diskSize = same.diskSize;
        chunkSize = same.chunkSize;
        packs = same.packs;
        checked = same.checked;
        this.segments = segments;
    }

    /**
     * Looks at all of it: from then on no part of it is found damaged. By all processors, since of a large disk it is much work; once done, nothing is done again.
     *
     * @throws CorruptManifestException if any number in it is not one that a writer leaves
     */
    public void check() throws CorruptManifestException {
        if (!checked) {
            Optional<CorruptManifestException> finding = IntStream.range(0, segments.length)
                    .parallel()
                    .mapToObj(this::finding)
                    .flatMap(Optional::stream)
                    .findAny();
            if (finding.isPresent()) {
                throw finding.get();
            }
            checked = true;
        }
    }

    private Optional<CorruptManifestException> finding(int number) {
        try {
            for (int pack : new SegmentCodec(chunkSize).packs(segments[number].encoded(), chunksOf(number))) {
                packs.id(pack);
            }
            return Optional.empty();
        } catch (CorruptManifestException e) {
            return Optional.of(e);
        }
    }

    /** This map, holding together with {@code other} what is the same in both: maps of one disk at two points then take hardly more memory than one. */
    public BlockMap sharing(BlockMap other) {
        StoredSegment[] shared = segments.clone();
        for (int i = 0; i < Math.min(shared.length, other.segments.length); i++) {
            if (chunksOf(i) == other.chunksOf(i) && Arrays.equals(shared[i].encoded(), other.segments[i].encoded())) {
                shared[i] = other.segments[i];
            }
        }
        return new BlockMap(this, shared);
    }

    /** About how many bytes of memory it takes when all of it has been read; what it shares with others counts in full. */
    public long memory() {
        long bytes = 0;
        for (StoredSegment segment : segments) {
            bytes += 16 + 3L * segment.encoded().length;
        }
        return bytes;
    }

    /** The map of a disk of {@code diskSize} zeros. */
    public static BlockMap empty(long diskSize, ChunkSize chunkSize) {
        return new BlockMap(diskSize, chunkSize, PackTable.EMPTY, new byte[segments(diskSize, chunkSize)][0]);
    }

    static int segments(long diskSize, ChunkSize chunkSize) {
        return Math.toIntExact((chunkSize.count(diskSize) + Segment.CHUNKS - 1) / Segment.CHUNKS);
    }

    public long diskSize() {
        return diskSize;
    }

    public ChunkSize chunkSize() {
        return chunkSize;
    }

    /** The number of chunks of the disk, those of zeros included. */
    public long chunks() {
        return chunkSize.count(diskSize);
    }

    /** Where the chunk lies, or null when it is all zeros. */
    public ChunkAddress address(long chunk) {
        Objects.checkIndex(chunk, chunks());
        long place = segment(chunk).place((int) (chunk % Segment.CHUNKS));
        return place == Place.ABSENT ? null : new ChunkAddress(pack(place), Place.offset(place), Place.lengthCode(place));
    }

    /**
     * The first chunk from {@code chunk} on that is in the map ({@code present}) or not, or {@link #chunks} if none is.
     */
    public long next(long chunk, boolean present) {
        long at = chunk;
        while (at < chunks()) {
            int within = segment(at).next((int) (at % Segment.CHUNKS), present);
            at = at - at % Segment.CHUNKS + within;
            if (within < Segment.CHUNKS) {
                break;
            }
        }
        return Math.min(at, chunks());
    }

    /** The last chunk before {@code end} that is in the map, or -1 if none is. */
    public long lastBefore(long end) {
        for (long at = end; at > 0; at -= (at - 1) % Segment.CHUNKS + 1) {
            int within = segment(at - 1).last((int) ((at - 1) % Segment.CHUNKS) + 1);
            if (within >= 0) {
                return at - 1 - (at - 1) % Segment.CHUNKS + within;
            }
        }
        return -1;
    }

    /** As {@link io.afterimage.block.BlockDevice#extents}: data where there are chunks, holes elsewhere. */
    public List<Extent> extents(ByteRange range, int limit) {
        List<Extent> extents = new ArrayList<>();
        long start = range.offset();
        while (start < range.end() && extents.size() < limit) {
            long chunk = start / chunkSize.bytes();
            long change = next(chunk, false);
            boolean present = change != chunk;
            if (!present) {
                change = next(chunk, true);
            }
            long end = change == chunks() ? range.end() : Math.min(range.end(), change * chunkSize.bytes());
            extents.add(new Extent(ByteRange.between(start, end), present ? Extent.Kind.DATA : Extent.Kind.HOLE));
            start = end;
        }
        return extents;
    }

    /**
     * Where the disk of this map may differ from the one of {@code other}: ordered ranges of whole chunks, cut at this disk's end. Chunks that lie in one place are equal; of those
     * that do not, nothing is known without reading them. What this disk has beyond the other's end differs.
     */
    public List<ByteRange> differences(BlockMap other) {
        List<ByteRange> ranges = new ArrayList<>();
        boolean sameNumbers = packs.agreesWith(other.packs);
        long begin = -1;
        for (long chunk = 0; chunk < chunks(); chunk++) {
            boolean atSegment = chunk % Segment.CHUNKS == 0;
            if (atSegment && sameNumbers && sameSegment(other, chunk)) {
                begin = close(ranges, begin, chunk);
                chunk = Math.min(chunks(), chunk + Segment.CHUNKS) - 1;
            } else if (chunk < other.chunks() && Objects.equals(address(chunk), other.address(chunk))) {
                begin = close(ranges, begin, chunk);
            } else if (begin < 0) {
                begin = chunk;
            }
        }
        close(ranges, begin, chunks());
        return ranges;
    }

    /** Told where frames lie, one at a time. */
    @FunctionalInterface
    public interface FrameVisitor {
        void visit(PackId pack, int offset, int lengthCode);
    }

    /**
     * Tells all frames that this map names, in the order of the disk, save perhaps those that {@code known} names as well: two maps of one disk have most
     * segments in common, which are passed over whole. Keeps nothing decoded, so that a walk over many maps takes no memory.
     */
    public void forEachFrame(BlockMap known, FrameVisitor visitor) {
        boolean sameNumbers = packs.agreesWith(known.packs);
        for (int number = 0; number < segments.length; number++) {
            if (segments[number].encoded().length > 0 && !(sameNumbers && sameSegment(known, (long) number * Segment.CHUNKS))) {
                decoded(number).forEachPlace(place -> visitor.visit(pack(place), Place.offset(place), Place.lengthCode(place)));
            }
        }
    }

    private long close(List<ByteRange> ranges, long begin, long end) {
        if (begin >= 0) {
            ranges.add(ByteRange.between(begin * chunkSize.bytes(), Math.min(end * chunkSize.bytes(), diskSize)));
        }
        return -1;
    }

    /** Whether the segment that begins at {@code chunk} is the same bytes in both, as an increment leaves most of them. */
    private boolean sameSegment(BlockMap other, long chunk) {
        int number = (int) (chunk / Segment.CHUNKS);
        long end = Math.min(chunks(), chunk + Segment.CHUNKS);
        return end <= other.chunks() && Arrays.equals(encodedSegment(number), other.encodedSegment(number));
    }

    byte[] encodedSegment(int number) {
        return number < segments.length ? segments[number].encoded() : StoredSegment.EMPTY.encoded();
    }

    PackTable packs() {
        return packs;
    }

    /** How many chunks the disk has in a segment. */
    private int chunksOf(int number) {
        return (int) Math.min(Segment.CHUNKS, chunks() - (long) number * Segment.CHUNKS);
    }

    private Segment segment(long chunk) {
        int number = (int) (chunk / Segment.CHUNKS);
        try {
            return segments[number].segment(chunkSize, chunksOf(number));
        } catch (CorruptManifestException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The segment without keeping it decoded. */
    private Segment decoded(int number) {
        try {
            return segments[number].decode(chunkSize, chunksOf(number));
        } catch (CorruptManifestException e) {
            throw new UncheckedIOException(e);
        }
    }

    private PackId pack(long place) {
        try {
            return packs.id(Place.pack(place));
        } catch (CorruptManifestException e) {
            throw new UncheckedIOException(e);
        }
    }
}
