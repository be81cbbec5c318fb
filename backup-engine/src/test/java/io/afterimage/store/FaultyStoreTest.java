package io.afterimage.store;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.ByteBuffer;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** A store that fails every third request is a store all the same, behind the layer that retries. */
final class FaultyStoreTest extends ObjectStoreContract {

    private static final Ticker HURRY = new Ticker() {
        @Override
        public long nanoTime() {
            return 0;
        }

        @Override
        public void sleep(Duration pause) throws InterruptedException {
            if (Thread.interrupted()) {
                throw new InterruptedException();
            }
        }
    };

    private final MemoryObjectStore memory = new MemoryObjectStore(InstantSource.system(), 100);

    @Override
    protected ObjectStore open() {
        return new RetryingStore(new FaultyStore(memory, 1, new FaultyStore.Rates(0.2, 0.15, 0)), RetryPolicy.DEFAULT, HURRY, new Random(2));
    }

    @Override
    protected ObjectStore openAnother() {
        return open();
    }

    @Test
    void theSameSeedGivesTheSameFaults() {
        assertEquals(faults(5), faults(5));
        assertTrue(faults(5).stream().distinct().count() > 3, () -> "too few kinds of faults: " + faults(5));
    }

    private static List<String> faults(long seed) {
        FaultyStore faulty = new FaultyStore(new MemoryObjectStore(), seed, new FaultyStore.Rates(0.2, 0.2, 0));
        List<String> outcomes = new ArrayList<>();
        for (int i = 0; i < 100; i++) {
            try {
                faulty.put(key("a"), ByteBuffer.allocate(1));
                outcomes.add("done");
            } catch (StoreException e) {
                outcomes.add(e.problem() + " " + e.outcome());
            }
        }
        return outcomes;
    }

    @Test
    void bytesMayBeOthers() throws StoreException {
        FaultyStore faulty = new FaultyStore(memory, 3, new FaultyStore.Rates(0, 0, 1));
        byte[] content = bytes(1000);
        memory.put(key("a"), ByteBuffer.wrap(content));
        byte[] whole = faulty.getWhole(key("a"), 1000);
        assertEquals(1, differentBits(content, whole));
        ByteBuffer range = ByteBuffer.allocate(1005).position(5);
        faulty.get(key("a"), 0, range);
        assertEquals(1, differentBits(content, Arrays.copyOfRange(range.array(), 5, 1005)));
        assertArrayEquals(content, memory.getWhole(key("a"), 1000));
    }

    private static int differentBits(byte[] a, byte[] b) {
        int bits = 0;
        for (int i = 0; i < a.length; i++) {
            bits += Integer.bitCount((a[i] ^ b[i]) & 0xff);
        }
        return bits;
    }

    @Test
    void deathComesBetweenTwoRequests() throws StoreException {
        FaultyStore faulty = new FaultyStore(memory, 3, FaultyStore.Rates.NONE);
        faulty.crashAfter(2);
        faulty.put(key("a"), ByteBuffer.allocate(1));
        faulty.put(key("b"), ByteBuffer.allocate(1));
        assertThrows(FaultyStore.SimulatedCrash.class, () -> faulty.put(key("c"), ByteBuffer.allocate(1)));
        assertThrows(FaultyStore.SimulatedCrash.class, () -> faulty.put(key("d"), ByteBuffer.allocate(1)));
        assertThrows(ObjectNotFoundException.class, () -> memory.getWhole(key("d"), 1));
        assertEquals(4, faulty.requests());
    }
}
