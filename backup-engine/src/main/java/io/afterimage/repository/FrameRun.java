package io.afterimage.repository;

import io.afterimage.chunk.ChunkAddress;
import io.afterimage.chunk.ChunkSize;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;

/**
 * Frames of one pack that are fetched by one request.
 *
 * @param frames in the order of their places, at least one
 */
public record FrameRun(List<FrameLocation> frames) {

    /** The most bytes of one request. */
    public static final int LONGEST = 4 * 1024 * 1024;

    /** Unwanted bytes between two frames that are rather fetched than asked around. */
    public static final int WIDEST_GAP = 128 * 1024;

    /** Sorts the frames into as few requests as is sensible. */
    public static List<FrameRun> of(Collection<FrameLocation> wanted, ChunkSize chunkSize) {
        List<FrameLocation> sorted = new ArrayList<>(wanted);
        sorted.sort(Comparator.comparing((FrameLocation frame) -> frame.place().pack()).thenComparingInt(frame -> frame.place().offset()));
        List<FrameRun> runs = new ArrayList<>();
        List<FrameLocation> run = new ArrayList<>();
        long runEnd = 0;
        for (FrameLocation frame : sorted) {
            if (!run.isEmpty() && !fits(run.getFirst().place(), runEnd, frame.place(), chunkSize)) {
                runs.add(new FrameRun(run));
                run = new ArrayList<>();
            }
            runEnd = run.isEmpty() ? end(frame.place(), chunkSize) : Math.max(runEnd, end(frame.place(), chunkSize));
            run.add(frame);
        }
        if (!run.isEmpty()) {
            runs.add(new FrameRun(run));
        }
        return runs;
    }

    private static boolean fits(ChunkAddress first, long end, ChunkAddress next, ChunkSize chunkSize) {
        return first.pack().equals(next.pack())
                && next.byteOffset(chunkSize) - end <= WIDEST_GAP
                && end(next, chunkSize) - first.byteOffset(chunkSize) <= LONGEST;
    }

    private static long end(ChunkAddress address, ChunkSize chunkSize) {
        return address.byteOffset(chunkSize) + address.byteLength(chunkSize);
    }

    /** Where the bytes begin. */
    public ChunkAddress first() {
        return frames.getFirst().place();
    }

    /** The bytes from the first frame's begin to the last end of any. */
    public int length(ChunkSize chunkSize) {
        long end = frames.stream().mapToLong(frame -> end(frame.place(), chunkSize)).max().orElseThrow();
        return (int) (end - first().byteOffset(chunkSize));
    }

    /** Where a frame of the run begins in the bytes fetched. */
    public int offset(FrameLocation frame, ChunkSize chunkSize) {
        return (int) (frame.place().byteOffset(chunkSize) - first().byteOffset(chunkSize));
    }
}
