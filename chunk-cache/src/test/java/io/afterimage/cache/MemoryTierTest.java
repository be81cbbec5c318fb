package io.afterimage.cache;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.afterimage.chunk.ChunkAddress;
import io.afterimage.chunk.ChunkSize;
import io.afterimage.chunk.PackId;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

final class MemoryTierTest {

    private static final ChunkSize SIZE = new ChunkSize(4096);
    private static final int SLOTS = 32;

    private final MemoryTier tier = new MemoryTier((long) SLOTS * SIZE.bytes(), SIZE);

    private static ChunkAddress address(int number) {
        return new ChunkAddress(new PackId(1, number), 1, 0);
    }

    private static byte[] chunk(int number) {
        byte[] chunk = new byte[SIZE.bytes()];
        Arrays.fill(chunk, (byte) (number * 31 + 7));
        return chunk;
    }

    private boolean isHere(int number) {
        ByteBuffer copy = ByteBuffer.allocate(SIZE.bytes());
        boolean here = tier.copy(address(number), 0, SIZE.bytes(), copy);
        assertEquals(here ? SIZE.bytes() : 0, copy.position());
        if (here) {
            assertEquals(ByteBuffer.wrap(chunk(number)), copy.flip());
        }
        return here;
    }

    @Test
    void aPartIsCopiedToWhereTheTargetStands() {
        tier.put(address(1), chunk(1));
        ByteBuffer target = ByteBuffer.allocate(100).position(10);
        assertTrue(tier.copy(address(1), 4000, 50, target));
        assertEquals(60, target.position());
        assertEquals(0, target.get(9));
        assertEquals(chunk(1)[4000], target.get(10));
        assertEquals(chunk(1)[4000], target.get(59));
        assertEquals(0, target.get(60));
    }

    @Test
    void itTakesNoMoreThanItWasGiven() {
        for (int i = 0; i < 20 * SLOTS; i++) {
            tier.put(address(i), chunk(i));
            tier.putAhead(address(-1 - i), chunk(i), Guess.UNWATCHED);
            assertTrue(tier.statistics().bytes() <= tier.capacity());
        }
        assertEquals((long) SLOTS * SIZE.bytes(), tier.capacity());
        assertTrue(tier.statistics().bytes() >= tier.capacity() / 2, "most of it is used");
        assertTrue(tier.statistics().evicted() > 10 * SLOTS);
    }

    @Test
    void aLentChunkStaysAsItIsAfterItsEviction() {
        tier.put(address(0), chunk(0));
        MemoryTier.Loan loan = tier.lend(address(0));
        ByteBuffer bytes = loan.bytes(100, 1000);
        assertTrue(bytes.isDirect());
        for (int i = 1; i < 50 * SLOTS; i++) {
            tier.put(address(i), chunk(i));
            isHere(i);
        }
        assertFalse(isHere(0));
        assertEquals(1000, bytes.remaining());
        assertEquals(ByteBuffer.wrap(chunk(0), 0, 1000), bytes);
        loan.giveBack();
        assertEquals(0, tier.statistics().lent());
    }

    @Test
    void halfOfItIsLentAtMostAndTheRestGoesOn() {
        List<MemoryTier.Loan> loans = new ArrayList<>();
        int kept = 0;
        for (int i = 0; loans.size() < SLOTS / 2; i++) {
            tier.put(address(i), chunk(i));
            loans.add(tier.lend(address(i)));
            assertNotNull(loans.getLast());
            kept = i + 1;
        }
        tier.put(address(kept), chunk(kept));
        assertNull(tier.lend(address(kept)));
        assertTrue(isHere(kept));
        for (int i = kept; i < 10 * SLOTS; i++) {
            tier.put(address(i), chunk(i));
        }
        for (int i = 0; i < loans.size(); i++) {
            assertEquals(ByteBuffer.wrap(chunk(i)), loans.get(i).bytes(0, SIZE.bytes()));
            loans.get(i).giveBack();
        }
        tier.put(address(-5), chunk(-5));
        MemoryTier.Loan again = tier.lend(address(-5));
        assertNotNull(again);
        again.giveBack();
        assertEquals(0, tier.statistics().lent());
    }

    @Test
    void whatIsNotHereIsNotLent() {
        assertNull(tier.lend(address(1)));
        assertEquals(0, tier.statistics().lent());
    }

    @Test
    void guessesWaitApartUntilTheyAreRead() {
        for (int i = 0; i < 5 * SLOTS; i++) {
            tier.put(address(i), chunk(i));
            isHere(i);
        }
        AtomicInteger used = new AtomicInteger();
        for (int i = 1; i <= SLOTS / 4; i++) {
            tier.putAhead(address(-i), chunk(-i), used::incrementAndGet);
        }
        for (int i = 1; i <= SLOTS / 4; i++) {
            assertTrue(tier.contains(address(-i)));
        }
        assertEquals(0, used.get(), "to look is not to read");
        assertTrue(isHere(-1));
        assertTrue(isHere(-1));
        assertEquals(1, used.get());
        tier.putAhead(address(-100), chunk(-100), used::incrementAndGet);
        tier.putAhead(address(-101), chunk(-101), used::incrementAndGet);
        assertFalse(tier.contains(address(-2)), "the eldest that nobody read goes first");
        assertEquals(1, tier.statistics().guessesUsed());
        assertEquals(1, tier.statistics().guessesWasted());
    }

    /** Slots change hands all the time: what is copied or lent is always the chunk that was asked for. */
    @Test
    void nobodyEverSeesAnothersChunk() throws Exception {
        AtomicInteger seen = new AtomicInteger();
        try (ExecutorService threads = Executors.newFixedThreadPool(4)) {
            List<Future<?>> done = new ArrayList<>();
            for (int thread = 0; thread < 4; thread++) {
                Random random = new Random(thread);
                done.add(threads.submit(() -> {
                    for (int i = 0; i < 20_000; i++) {
                        int number = random.nextInt(3 * SLOTS);
                        switch (random.nextInt(4)) {
                            case 0 -> tier.put(address(number), chunk(number));
                            case 1 -> tier.putAhead(address(number), chunk(number), Guess.UNWATCHED);
                            case 2 -> seen.addAndGet(isHere(number) ? 1 : 0);
                            default -> {
                                MemoryTier.Loan loan = tier.lend(address(number));
                                if (loan != null) {
                                    assertEquals(ByteBuffer.wrap(chunk(number)), loan.bytes(0, SIZE.bytes()));
                                    loan.giveBack();
                                }
                            }
                        }
                    }
                }));
            }
            for (Future<?> each : done) {
                each.get();
            }
        }
        assertTrue(seen.get() > 1000);
        assertEquals(0, tier.statistics().lent());
        assertTrue(tier.statistics().bytes() <= tier.capacity());
    }
}
