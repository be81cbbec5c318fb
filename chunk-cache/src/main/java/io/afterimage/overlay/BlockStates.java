package io.afterimage.overlay;

import java.nio.LongBuffer;
import java.util.concurrent.atomic.AtomicLongArray;
import java.util.concurrent.atomic.AtomicReferenceArray;

/**
 * The state of each block of a disk, two bits a block, in pages that are there only where something was written: 256 bytes for 4 MiB. Read
 * without locks; of those who write, one at a time may change a page.
 */
final class BlockStates {

    /** Bytes of a block. */
    static final int BLOCK = 4096;
    /** Blocks of a page. */
    static final int PAGE = 1024;

    /** Words of a page: 32 blocks each, the first in the lowest bits. */
    static final int WORDS = PAGE / 32;

    private static final long EACH = 0x5555555555555555L;

    private final long blocks;
    private final AtomicReferenceArray<AtomicLongArray> pages;

    /** All {@link BlockState#BASE}. */
    BlockStates(long diskSize) {
        blocks = Math.ceilDiv(diskSize, (long) BLOCK);
        pages = new AtomicReferenceArray<>(Math.toIntExact(Math.ceilDiv(blocks, (long) PAGE)));
    }

    long blocks() {
        return blocks;
    }

    int pages() {
        return pages.length();
    }

    static int page(long block) {
        return (int) (block / PAGE);
    }

    BlockState get(long block) {
        AtomicLongArray page = pages.get(page(block));
        return page == null ? BlockState.BASE : BlockState.of(bits(page, (int) (block % PAGE)));
    }

    private static int bits(AtomicLongArray page, int within) {
        return (int) (page.getAcquire(within / 32) >>> (within % 32 * 2)) & 3;
    }

    /** The first block behind {@code block}, at most {@code end}, that is of another state. */
    long runEnd(long block, long end, BlockState state) {
        long uniform = state.number() * EACH;
        long at = block + 1;
        while (at < end) {
            AtomicLongArray page = pages.get(page(at));
            int within = (int) (at % PAGE);
            if (page == null) {
                if (state != BlockState.BASE) {
                    return at;
                }
                at += PAGE - within;
            } else {
                // The lowest pair of bits that is not as it should be, if any, tells where the run ends in this word.
                long other = (page.getAcquire(within / 32) ^ uniform) >>> (within % 32 * 2);
                int same = other == 0 ? 32 - within % 32 : Long.numberOfTrailingZeros(other) / 2;
                at += same;
                if (other != 0) {
                    break;
                }
            }
        }
        return Math.min(at, end);
    }

    /** How many of the blocks {@code [from, end)} take up room. */
    long allocated(long from, long end) {
        long count = 0;
        long next;
        for (long at = from; at < end; at = next) {
            BlockState state = get(at);
            next = runEnd(at, end, state);
            count += state.isAllocated() ? next - at : 0;
        }
        return count;
    }

    /** Sets blocks of one page. Whoever sees the state sees what the caller has done before. */
    void set(long from, long end, BlockState state) {
        AtomicLongArray page = own(page(from));
        int last = (int) (end - 1 - page(from) * (long) PAGE);
        for (int within = (int) (from % PAGE); within <= last; within = (within / 32 + 1) * 32) {
            int first = within % 32;
            int count = Math.min(32 - first, last - within + 1);
            long mask = (count == 32 ? -1L : (1L << (2 * count)) - 1) << (2 * first);
            long word = page.getPlain(within / 32);
            page.setRelease(within / 32, (word & ~mask) | (state.number() * EACH & mask));
        }
    }

    private AtomicLongArray own(int number) {
        AtomicLongArray page = pages.get(number);
        if (page == null) {
            page = new AtomicLongArray(WORDS);
            pages.set(number, page);
        }
        return page;
    }

    boolean isUntouched(int page) {
        return pages.get(page) == null;
    }

    /** What a page is now: {@link #WORDS} words. Each block in it is at least as new as every change that had returned before. */
    LongBuffer image(int number) {
        long[] image = new long[WORDS];
        AtomicLongArray page = pages.get(number);
        for (int i = 0; page != null && i < WORDS; i++) {
            image[i] = page.getAcquire(i);
        }
        return LongBuffer.wrap(image);
    }

    /** Replaces a page while nobody else uses it; false if the image has states beyond the disk's end. */
    boolean load(int number, LongBuffer image) {
        long within = Math.min(PAGE, blocks - number * (long) PAGE);
        AtomicLongArray page = new AtomicLongArray(WORDS);
        for (int i = 0; i < WORDS; i++) {
            int known = Math.clamp(within - i * 32L, 0, 32);
            if (known < 32 && image.get(i) >>> (2 * known) != 0) {
                return false;
            }
            page.setPlain(i, image.get(i));
        }
        pages.set(number, page);
        return true;
    }
}
