package io.afterimage.store;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.afterimage.store.StoreStatistics.Tally;
import java.nio.ByteBuffer;
import java.time.InstantSource;
import java.util.List;
import org.junit.jupiter.api.Test;

final class CountingStoreTest {

    private final CountingStore store = new CountingStore(new MemoryObjectStore(InstantSource.system(), 2));

    @Test
    void requestsBytesAndFailuresAreCounted() throws StoreException {
        for (String key : List.of("a", "b", "c", "d", "e")) {
            store.put(new ObjectKey(key), ByteBuffer.allocate(100), ByteBuffer.allocate(11));
        }
        store.getWhole(new ObjectKey("a"), 1000);
        store.get(new ObjectKey("a"), 10, ByteBuffer.allocate(5));
        assertThrows(ObjectNotFoundException.class, () -> store.getWhole(new ObjectKey("x"), 1));
        store.list(KeyPrefix.ALL).toList();
        store.delete(List.of(new ObjectKey("a"), new ObjectKey("b")));
        StoreStatistics statistics = store.statistics();
        assertEquals(new Tally(5, 0, 555), statistics.of(Operation.PUT));
        assertEquals(new Tally(3, 1, 116), statistics.of(Operation.GET));
        assertEquals(new Tally(3, 0, 0), statistics.of(Operation.LIST));
        assertEquals(new Tally(1, 0, 0), statistics.of(Operation.DELETE));
        assertEquals(12, statistics.requests());
    }

    @Test
    void theCostOfATaskIsADifference() throws StoreException {
        store.put(new ObjectKey("a"), ByteBuffer.allocate(100));
        StoreStatistics before = store.statistics();
        store.put(new ObjectKey("b"), ByteBuffer.allocate(7));
        assertEquals(new Tally(1, 0, 7), store.statistics().since(before).of(Operation.PUT));
        assertEquals(1, store.statistics().since(before).requests());
    }
}
