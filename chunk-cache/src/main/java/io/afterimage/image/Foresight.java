package io.afterimage.image;

import io.afterimage.cache.Guess;
import io.afterimage.chunk.ChunkAddress;
import io.afterimage.chunk.ChunkSize;
import io.afterimage.fetch.HitRate;
import io.afterimage.fetch.Lane;
import io.afterimage.fetch.ReadAhead;
import io.afterimage.manifest.BlockMap;
import io.afterimage.repository.FrameRun;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;

/**
 * What one image fetches before it is read: where streams lead, and the neighbours of a single miss, which lie beside it on the disk and in the pack and so cost no request. Both
 * guesses learn from their own success. Thread-safe.
 */
final class Foresight {

    /** Reads after the last miss that are still looked at: a disk that is all in memory is read without asking where to. */
    private static final int WATCHED = 4096;
    private static final int LARGEST_WINDOW = 32 << 20;
    private static final int FIRST_WINDOW = 4 << 20;
    private static final int FIRST_NEIGHBOURS = 256 << 10;
    private static final int MOST_NEIGHBOURS = 512 << 10;

    private final BlockMap map;
    private final ChunkSize chunkSize;
    private final Lane lane;
    private final HitRate streamRate;
    private final HitRate neighbourRate;
    private final ReadAhead streams;
    /** Races lose a count or two, which nobody minds. */
    private volatile int watched;

    /** @param memory bytes of the memory tier, of which guesses take no more than a part */
    Foresight(BlockMap map, Lane lane, long memory) {
        this.map = map;
        this.lane = lane;
        chunkSize = map.chunkSize();
        int chunk = chunkSize.bytes();
        streamRate = new HitRate(FIRST_WINDOW / chunk, (int) Math.min(LARGEST_WINDOW, memory / 8) / chunk);
        neighbourRate = new HitRate(FIRST_NEIGHBOURS / chunk, (int) Math.min(MOST_NEIGHBOURS, memory / 16) / chunk);
        streams = new ReadAhead(map.diskSize(), chunk, streamRate);
    }

    /** Chunks to fetch along with what is waited for, and who learns what becomes of them. */
    record Along(List<ChunkAddress> chunks, Guess guess) {}

    /** A read of {@code [begin, end)} was answered from memory. Quick, and most of the time does nothing. */
    void hit(long begin, long end) {
        int left = watched;
        if (left > 0 && begin < end) {
            watched = left - 1;
            List<ReadAhead.Span> spans = streams.read(begin, end);
            if (!spans.isEmpty() && lane.hasRoomForGuesses()) {
                lane.ahead(addresses(spans), streamRate);
            }
        }
    }

    /** A read of {@code [begin, end)} has to wait, {@code last} being the last chunk that it waits for: what may come along with that. */
    Along missed(long begin, long end, long last) {
        watched = WATCHED;
        List<ReadAhead.Span> spans = streams.read(begin, end);
        return !spans.isEmpty() && lane.hasRoomForGuesses()
                ? new Along(addresses(spans), streamRate)
                : new Along(neighbours(last), neighbourRate);
    }

    /** Chunks right behind this one on the disk whose frames follow one another in the pack. */
    private List<ChunkAddress> neighbours(long chunk) {
        List<ChunkAddress> neighbours = new ArrayList<>();
        ChunkAddress before = map.address(chunk);
        long end = Math.min(map.chunks(), chunk + 1 + neighbourRate.width());
        for (long next = chunk + 1; next < end; next++) {
            ChunkAddress address = addressOrNull(next);
            if (address == null) {
                continue;
            }
            long gap = address.byteOffset(chunkSize) - before.byteOffset(chunkSize) - before.byteLength(chunkSize);
            if (!address.pack().equals(before.pack()) || gap < 0 || gap > FrameRun.WIDEST_GAP) {
                break;
            }
            neighbours.add(address);
            before = address;
        }
        neighbourRate.made(neighbours.size());
        return neighbours;
    }

    /** Null also where the map is damaged: who guesses is owed nothing. */
    private ChunkAddress addressOrNull(long chunk) {
        try {
            return map.address(chunk);
        } catch (UncheckedIOException _) {
            return null;
        }
    }

    private List<ChunkAddress> addresses(List<ReadAhead.Span> spans) {
        List<ChunkAddress> addresses = new ArrayList<>();
        spans.forEach(span -> addresses(span.begin(), span.end()).forEachRemaining(addresses::add));
        return addresses;
    }

    /**
     * The chunks of bytes {@code [begin, end)} in the order of the disk, looked up as they are asked for; those of zeros are left out. Where the map is damaged they
     * end.
     */
    Iterator<ChunkAddress> addresses(long begin, long end) {
        return new Iterator<>() {
            private long chunk = begin / chunkSize.bytes();
            private ChunkAddress next = find();

            private ChunkAddress find() {
                try {
                    chunk = map.next(chunk, true);
                    return chunk * chunkSize.bytes() < end && chunk < map.chunks() ? map.address(chunk++) : null;
                } catch (UncheckedIOException _) {
                    return null;
                }
            }

            @Override
            public boolean hasNext() {
                return next != null;
            }

            @Override
            public ChunkAddress next() {
                if (next == null) {
                    throw new NoSuchElementException();
                }
                ChunkAddress found = next;
                next = find();
                return found;
            }
        };
    }
}
