package io.afterimage.fetch;

import io.afterimage.repository.FrameRun;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.Iterator;
import java.util.List;

/**
 * Finds streams in the reads of one image and says what they will probably read next. A stream reads on where it stopped, or goes on by equal steps, forwards or backwards; many may be
 * interleaved, of one client or of several. No clock and no I/O: the same reads yield the same guesses. Thread-safe.
 *
 * <p>A stream's window begins small, doubles each time the stream has come halfway through it, and is never larger than what the guesses of this image were worth lately
 * ({@link HitRate}). What is not a stream is not guessed here: the neighbours of a single miss are another matter.
 */
public final class ReadAhead {

    private static final int MOST_STREAMS = 16;
    /** Reads that did not belong to a stream, kept to find one. */
    private static final int RECENT = 16;
    private static final int FIRST_WINDOW = 4;
    /** Beyond this a step is no step but another place. */
    private static final long LONGEST_STEP = 64L << 20;

    /** Bytes {@code [begin, end)}, both at chunk boundaries or at the end of the disk. */
    public record Span(long begin, long end) {}

    private record Read(long begin, long end) {}

    /** One stream: where it will read next, and up to where it has been guessed. */
    private static final class Stream {
        /** 0 where each read begins at the end of the one before. */
        final long step;

        long next;
        long length;
        /** Sequential: the byte up to which all is guessed. By steps: how many of the next reads are. */
        long guessed;

        int window = FIRST_WINDOW;

        Stream(long step, long next, long length) {
            this.step = step;
            this.next = next;
            this.length = length;
        }
    }

    private final long diskSize;
    private final int chunkBytes;
    /** Chunks that a request has room for even if none of them is compressed. */
    private final int chunksOfRequest;
    private final HitRate rate;
    /** The one that was used last first. */
    private final Deque<Stream> streams = new ArrayDeque<>();
    /** The last read first. */
    private final Deque<Read> recent = new ArrayDeque<>();

    /**
     * @param rate learns how many chunks were guessed, and says how many to guess at once
     */
    public ReadAhead(long diskSize, int chunkBytes, HitRate rate) {
        this.diskSize = diskSize;
        this.chunkBytes = chunkBytes;
        chunksOfRequest = Math.max(1, FrameRun.LONGEST / chunkBytes - 1);
        this.rate = rate;
    }

    /** Takes note of a read of bytes {@code [begin, end)}, at least one, and tells what to fetch now, the most urgent first; not again what was told before. */
    public synchronized List<Span> read(long begin, long end) {
        Stream stream = advance(begin, end);
        if (stream == null) {
            stream = discover(begin, end);
        }
        return stream == null ? List.of() : guess(stream);
    }

    private Stream advance(long begin, long end) {
        Iterator<Stream> all = streams.iterator();
        while (all.hasNext()) {
            Stream stream = all.next();
            if (continues(stream, begin, end)) {
                all.remove();
                streams.addFirst(stream);
                return stream;
            }
        }
        return null;
    }

    private boolean continues(Stream stream, long begin, long end) {
        if (stream.step != 0) {
            if (begin != stream.next) {
                return false;
            }
            stream.next += stream.step;
            stream.length = end - begin;
            stream.guessed = Math.max(0, stream.guessed - 1);
            return true;
        }
        // Reads of a deep queue overtake each other, and some read a little of what they have just read again.
        long slack = Math.max(chunkBytes, 8 * (end - begin));
        if (begin < stream.next - slack || begin > stream.next + slack) {
            return false;
        }
        stream.next = Math.max(stream.next, end);
        return true;
    }

    private Stream discover(long begin, long end) {
        Stream found = null;
        for (Read before : recent) {
            long step = begin - before.begin;
            if (begin >= before.end && begin - before.end <= chunkBytes && step > 0) {
                found = new Stream(0, end, end - begin);
            } else if (step != 0 && Math.abs(step) <= LONGEST_STEP && recent.stream().anyMatch(first -> first.begin == before.begin - step)) {
                found = new Stream(step, begin + step, end - begin);
            }
            if (found != null) {
                recent.remove(before);
                add(found);
                return found;
            }
        }
        recent.addFirst(new Read(begin, end));
        if (recent.size() > RECENT) {
            recent.removeLast();
        }
        return null;
    }

    private void add(Stream stream) {
        streams.addFirst(stream);
        if (streams.size() > MOST_STREAMS) {
            streams.removeLast();
        }
    }

    private List<Span> guess(Stream stream) {
        int window = Math.min(stream.window, rate.width());
        List<Span> spans = stream.step == 0 ? sequential(stream, window) : byStep(stream, window);
        int chunks = spans.stream().mapToInt(span -> (int) ((span.end() - span.begin() + chunkBytes - 1) / chunkBytes)).sum();
        if (chunks > 0) {
            rate.made(chunks);
            stream.window = Math.min(2 * stream.window, 1 << 20);
        }
        return spans;
    }

    private List<Span> sequential(Stream stream, int window) {
        long from = Math.max(stream.guessed, ceil(stream.next));
        long to = Math.min(diskSize, ceil(stream.next) + (long) window * chunkBytes);
        // In large pieces, so that requests are large, and yet in no larger ones: what is asked for at once comes at once, and until then nothing more is asked for. The last piece of the disk is
        // what it is.
        boolean isWorthIt = 2 * (to - from) >= Math.min(window, 2L * chunksOfRequest) * chunkBytes || to == diskSize;
        if (from >= to || !isWorthIt) {
            return List.of();
        }
        stream.guessed = to;
        return List.of(new Span(from, to));
    }

    private List<Span> byStep(Stream stream, int window) {
        long perRead = (stream.length + chunkBytes - 1) / chunkBytes;
        long reads = window / perRead;
        List<Span> spans = new ArrayList<>();
        if (stream.guessed * 2 <= reads) {
            for (; stream.guessed < reads; stream.guessed++) {
                long begin = stream.next + stream.guessed * stream.step;
                if (begin < 0 || begin + stream.length > diskSize) {
                    break;
                }
                spans.add(new Span(begin / chunkBytes * chunkBytes, Math.min(diskSize, ceil(begin + stream.length))));
            }
        }
        return spans;
    }

    private long ceil(long offset) {
        return (offset + chunkBytes - 1) / chunkBytes * chunkBytes;
    }
}
