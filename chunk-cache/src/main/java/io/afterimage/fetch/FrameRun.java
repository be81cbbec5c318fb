package io.afterimage.fetch;

import io.afterimage.chunk.ChunkAddress;
import io.afterimage.chunk.ChunkSize;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/**
 * Frames of one pack that are fetched by one request.
 *
 * @param addresses in the order of their offsets, at least one
 */
record FrameRun(List<ChunkAddress> addresses) {

    /** The most bytes of one request. */
    private static final int LONGEST = 4 * 1024 * 1024;

    /** Unwanted bytes between two frames that are rather fetched than asked around. */
    private static final int WIDEST_GAP = 128 * 1024;

    /** Sorts the chunks into as few requests as is sensible. */
    static List<FrameRun> of(List<ChunkAddress> wanted, ChunkSize chunkSize) {
        List<ChunkAddress> sorted = new ArrayList<>(wanted);
        sorted.sort(Comparator.comparing(ChunkAddress::pack).thenComparingInt(ChunkAddress::offset));
        List<FrameRun> runs = new ArrayList<>();
        List<ChunkAddress> run = new ArrayList<>();
        for (ChunkAddress address : sorted) {
            if (!run.isEmpty() && !fits(run, address, chunkSize)) {
                runs.add(new FrameRun(run));
                run = new ArrayList<>();
            }
            run.add(address);
        }
        if (!run.isEmpty()) {
            runs.add(new FrameRun(run));
        }
        return runs;
    }

    private static boolean fits(List<ChunkAddress> run, ChunkAddress next, ChunkSize chunkSize) {
        ChunkAddress first = run.getFirst();
        return first.pack().equals(next.pack())
                && next.byteOffset(chunkSize) - end(run.getLast(), chunkSize) <= WIDEST_GAP
                && end(next, chunkSize) - first.byteOffset(chunkSize) <= LONGEST;
    }

    private static long end(ChunkAddress address, ChunkSize chunkSize) {
        return address.byteOffset(chunkSize) + address.byteLength(chunkSize);
    }

    ChunkAddress first() {
        return addresses.getFirst();
    }

    /** The bytes from the first frame's begin to the last one's end. */
    int length(ChunkSize chunkSize) {
        return (int) (end(addresses.getLast(), chunkSize) - first().byteOffset(chunkSize));
    }

    /** Where a frame of the run begins in the bytes fetched. */
    int offset(ChunkAddress address, ChunkSize chunkSize) {
        return (int) (address.byteOffset(chunkSize) - first().byteOffset(chunkSize));
    }
}
