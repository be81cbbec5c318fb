package io.afterimage.boot;

import io.afterimage.block.ByteRange;
import io.afterimage.profile.BootProfile;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;

/**
 * Follows a profile while a boot reads: says what to fetch next, in the order of the profile, and learns from each read how good the profile is.
 *
 * <p>How far ahead it goes is earned. It begins with a small <em>advance</em> and is granted {@value #REWARD} times what was fetched ahead and
 * then read; so a profile that fits is soon fetched as quickly as the store allows, one that does not fit costs the advance and little more, and one that
 * {@linkplain #isPoor misses more than it hits} nothing any longer. What is fetched and not read yet is bounded in any case, since it takes memory from what is in use.
 * Not thread-safe.
 */
final class Replay {

    private static final int REWARD = 4;

    /** Fetched ahead and not read yet, at most. */
    private static final long FARTHEST = 64L << 20;

    /** What is asked for at once: neighbours among it come together. */
    private static final long BATCH = 4L << 20;

    /** It is not worth a look when less than this may be asked for. */
    private static final long STEP = 256L << 10;

    /** So much may miss before it is judged. */
    private static final long TRIAL = 4L << 20;

    private final ChunkOrder profile;
    private final long diskSize;
    private final int chunk;
    private final long advance;
    private final BitSet fetched = new BitSet();
    private final BitSet read = new BitSet();
    private int next;
    /** Chunks that were fetched ahead, read, and both, and bytes of reads that the profile does not have. */
    private int fetchedCount;

    private int readCount;
    private int usedCount;
    private long missed;

    /**
     * @param chunk bytes of a chunk
     * @param advance bytes to fetch before anything is known
     */
    Replay(BootProfile profile, long diskSize, int chunk, long advance) {
        this.profile = ChunkOrder.of(profile.reads(), diskSize, chunk);
        this.diskSize = diskSize;
        this.chunk = chunk;
        this.advance = Math.max(advance, chunk);
    }

    /** Takes a read into account. */
    void saw(long offset, long length) {
        for (long number = offset / chunk; number * chunk < offset + length; number++) {
            int rank = profile.rank(number);
            if (rank < 0) {
                missed += Math.min(offset + length, (number + 1) * chunk) - Math.max(offset, number * chunk);
            } else if (!read.get(rank)) {
                read.set(rank);
                readCount++;
                usedCount += fetched.get(rank) ? 1 : 0;
            }
        }
    }

    /** Whether {@link #next} would have something that is worth a look. */
    boolean wantsMore() {
        return next < profile.count() && !isPoor() && allowance() >= Math.max(STEP, chunk);
    }

    /** Bytes that may be asked for now. */
    private long allowance() {
        long granted = advance + REWARD * (long) usedCount * chunk;
        return Math.min(granted, (long) usedCount * chunk + FARTHEST) - (long) fetchedCount * chunk;
    }

    /** What to fetch next: ranges in the order of their offsets, whole chunks, within the disk. Empty when there is nothing to be fetched now. */
    List<ByteRange> next() {
        long most = isPoor() ? 0 : Math.min(allowance(), BATCH) / chunk;
        long[] numbers = new long[(int) most];
        int count = 0;
        for (; count < most && next < profile.count(); next++) {
            if (!read.get(next)) {
                fetched.set(next);
                numbers[count++] = profile.chunk(next);
            }
        }
        fetchedCount += count;
        return ranges(Arrays.stream(numbers, 0, count).sorted().toArray());
    }

    private List<ByteRange> ranges(long[] numbers) {
        List<ByteRange> ranges = new ArrayList<>();
        for (int i = 0; i < numbers.length; ) {
            int from = i++;
            while (i < numbers.length && numbers[i] == numbers[i - 1] + 1) {
                i++;
            }
            ranges.add(ByteRange.between(numbers[from] * chunk, Math.min((numbers[i - 1] + 1) * chunk, diskSize)));
        }
        return ranges;
    }

    /** Whether the profile tells of another time, or of another thing than this boot. */
    boolean isPoor() {
        return missed > TRIAL && missed > 3L * readCount * chunk;
    }

    /** The profile's chunks. */
    ChunkOrder profile() {
        return profile;
    }

    /** Of the chunks that were fetched ahead, those that were read, in percent; 100 when none were fetched. */
    int usedPercent() {
        return fetchedCount == 0 ? 100 : 100 * usedCount / fetchedCount;
    }

    int fetchedCount() {
        return fetchedCount;
    }

    /** Bytes that were read and are not in the profile. */
    long missed() {
        return missed;
    }
}
