package io.afterimage.image;

import io.afterimage.block.BlockDevice;
import io.afterimage.block.ByteRange;
import io.afterimage.block.Extent;
import io.afterimage.catalog.OpenPoints;
import io.afterimage.chunk.ChunkAddress;
import io.afterimage.fetch.ChunkFetcher;
import io.afterimage.manifest.BlockMap;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicReference;

/**
 * One disk as it was at one point: read-only, never changing, whatever happens to the point's descriptor meanwhile. Every
 * byte has been checked against its chunk's hash before it is handed out. Thread-safe.
 */
public final class PointInTimeImage implements BlockDevice {

    /** The most that one hint fetches: one for a whole disk would push out what is in use. */
    private static final long LONGEST_PREFETCH = 64 << 20;

    private final BlockMap map;
    private final ChunkFetcher fetcher;
    private final int chunkSize;
    private final AtomicReference<OpenPoints.Opening> opening;

    /** @param opening what keeps the point's packs from being deleted; closed with the image */
    PointInTimeImage(BlockMap map, ChunkFetcher fetcher, OpenPoints.Opening opening) {
        this.map = map;
        this.fetcher = fetcher;
        this.opening = new AtomicReference<>(opening);
        chunkSize = map.chunkSize().bytes();
    }

    @Override
    public long size() {
        return map.diskSize();
    }

    @Override
    public void read(long offset, ByteBuffer target) throws IOException {
        checkRange(offset, target.remaining());
        ByteRange range = new ByteRange(offset, target.remaining());
        List<ChunkAddress> missing = missing(range);
        Map<ChunkAddress, ByteBuffer> fetched = missing.isEmpty() ? Map.of() : fetcher.fetch(missing);
        int begin = target.position();
        if (!copy(range, target, fetched)) {
            // Evicted between the look and the copy: those few are fetched for this read alone.
            target.position(begin);
            copy(range, target, fetcher.fetch(addresses(range)));
        }
    }

    @Override
    public boolean readResident(long offset, ByteBuffer target) {
        checkRange(offset, target.remaining());
        int begin = target.position();
        if (copy(new ByteRange(offset, target.remaining()), target, Map.of())) {
            return true;
        }
        target.position(begin);
        return false;
    }

    /** Copies what is resident or has been fetched; false, at some position, when a chunk is neither. */
    private boolean copy(ByteRange range, ByteBuffer target, Map<ChunkAddress, ByteBuffer> fetched) {
        long position = range.offset();
        while (position < range.end()) {
            int within = (int) (position % chunkSize);
            int count = (int) Math.min(chunkSize - within, range.end() - position);
            ChunkAddress address = map.address(position / chunkSize);
            if (address == null) {
                putZeros(target, count);
            } else {
                ByteBuffer chunk = fetched.get(address);
                chunk = chunk == null ? fetcher.resident(address) : chunk;
                if (chunk == null) {
                    return false;
                }
                target.put(target.position(), chunk, within, count).position(target.position() + count);
            }
            position += count;
        }
        return true;
    }

    private static void putZeros(ByteBuffer target, int count) {
        int left = count;
        for (; left >= Long.BYTES; left -= Long.BYTES) {
            target.putLong(0);
        }
        for (; left > 0; left--) {
            target.put((byte) 0);
        }
    }

    @Override
    public void prefetch(ByteRange range) {
        checkRange(range.offset(), range.length());
        fetcher.prefetch(addresses(new ByteRange(range.offset(), Math.min(range.length(), LONGEST_PREFETCH))));
    }

    @Override
    public List<Extent> extents(ByteRange range, int limit) {
        checkRange(range.offset(), range.length());
        return map.extents(range, limit);
    }

    private List<ChunkAddress> missing(ByteRange range) {
        return addresses(range).stream().filter(address -> fetcher.resident(address) == null).toList();
    }

    private List<ChunkAddress> addresses(ByteRange range) {
        List<ChunkAddress> addresses = new ArrayList<>();
        for (long chunk = range.offset() / chunkSize; chunk * chunkSize < range.end(); chunk++) {
            ChunkAddress address = map.address(chunk);
            if (address != null) {
                addresses.add(address);
            }
        }
        return addresses;
    }

    @Override
    public void close() {
        OpenPoints.Opening held = opening.getAndSet(null);
        if (held != null) {
            held.close();
        }
    }
}
