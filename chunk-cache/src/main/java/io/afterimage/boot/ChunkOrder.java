package io.afterimage.boot;

import io.afterimage.profile.BootProfile.Read;
import java.util.Arrays;
import java.util.List;

/** The chunks of a disk that reads touch, each once, in the order of the first touch. Finding one costs a few steps and makes no object. Immutable. */
final class ChunkOrder {

    private final long[] inOrder;
    /** Ascending. */
    private final long[] sorted;
    /** The rank in {@link #inOrder} of each of {@link #sorted}. */
    private final int[] ranks;

    private ChunkOrder(long[] inOrder, long[] sorted, int[] ranks) {
        this.inOrder = inOrder;
        this.sorted = sorted;
        this.ranks = ranks;
    }

    /**
     * Of reads; those beyond the end of the disk are passed over.
     *
     * @param chunk bytes of a chunk
     */
    static ChunkOrder of(List<Read> reads, long diskSize, int chunk) {
        int most = (int) reads.stream().mapToLong(read -> read.length() / chunk + 2).sum();
        long[] touches = new long[most];
        int count = 0;
        for (Read read : reads) {
            long end = Math.min(read.end(), diskSize);
            for (long number = read.offset() / chunk; number * chunk < end; number++) {
                touches[count++] = number;
            }
        }
        return of(Arrays.copyOf(touches, count));
    }

    private static ChunkOrder of(long[] touches) {
        long[] sorted = Arrays.stream(touches).sorted().distinct().toArray();
        int[] ranks = new int[sorted.length];
        Arrays.fill(ranks, -1);
        long[] inOrder = new long[sorted.length];
        int rank = 0;
        for (long number : touches) {
            int at = Arrays.binarySearch(sorted, number);
            if (ranks[at] < 0) {
                ranks[at] = rank;
                inOrder[rank++] = number;
            }
        }
        return new ChunkOrder(inOrder, sorted, ranks);
    }

    int count() {
        return inOrder.length;
    }

    /** The number of the chunk that is touched at that place of the order. */
    long chunk(int rank) {
        return inOrder[rank];
    }

    /** The place in the order of the chunk of that number; negative if it is not touched. */
    int rank(long number) {
        int at = Arrays.binarySearch(sorted, number);
        return at < 0 ? -1 : ranks[at];
    }

    /** How many chunks both touch. */
    int common(ChunkOrder other) {
        return (int) Arrays.stream(sorted).filter(number -> other.rank(number) >= 0).count();
    }
}
