package io.afterimage.repository;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.afterimage.catalog.Catalog;
import io.afterimage.catalog.CatalogException;
import io.afterimage.catalog.Point;
import io.afterimage.chunk.ChunkSize;
import io.afterimage.manifest.MachineName;
import io.afterimage.manifest.PointId;
import io.afterimage.store.CountingStore;
import io.afterimage.store.MemoryObjectStore;
import io.afterimage.store.ObjectKey;
import io.afterimage.store.ObjectStore;
import io.afterimage.store.Operation;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The newest point of a machine, by one who has asked before, while others add and forget points. */
final class LatestPointTest {

    private static final MachineName WEB = new MachineName("web");
    /** Older points, whose names fill more than two pages of a listing. */
    private static final int OLD = 2 * ObjectStore.PAGE + 1;

    @TempDir
    private Path folder;

    private final CountingStore store = new CountingStore(new MemoryObjectStore());
    private Repository writer;
    private Catalog reader;

    @BeforeEach
    void create() throws IOException {
        writer = Repository.create(store, new ChunkSize(4096), new SecureRandom());
        for (int i = 0; i < OLD; i++) {
            store.put(Catalog.key(WEB, new PointId("%032x".formatted(i))), ByteBuffer.wrap(new byte[] {'{'}));
        }
        reader = Repository.open(store).catalog();
    }

    private Point backUp() throws IOException {
        return Backup.of(writer, folder, "web", new byte[] {1, 2, 3}, Map.of());
    }

    private static Point newer(Point... points) {
        return Stream.of(points).max(Comparator.comparing(Point::id)).orElseThrow();
    }

    private void assertLatest(Point expected, int listings) throws IOException {
        long before = store.statistics().of(Operation.LIST).requests();
        assertEquals(Optional.of(expected), reader.latest(WEB));
        assertEquals(listings, store.statistics().of(Operation.LIST).requests() - before);
    }

    @Test
    void onlyWhatIsNewerIsListedAgain() throws IOException {
        Point first = backUp();
        assertLatest(first, 1);
        assertLatest(first, 1);
        Point second = backUp();
        assertLatest(newer(first, second), 1);
        assertLatest(newer(first, second), 1);
    }

    @Test
    void whoKnowsOneByItsIdGoesOnFromThere() throws IOException {
        Point first = backUp();
        reader.find(WEB, first.id());
        assertLatest(first, 1);
        assertLatest(newer(first, backUp()), 1);
    }

    @Test
    void oneOfLongAgoIsFoundAmongAll() throws IOException {
        // It is damaged; what matters is that it was come to, after nothing recent.
        assertThrows(CatalogException.class, () -> reader.latest(WEB));
        assertEquals(Optional.empty(), reader.latest(new MachineName("nobody")));
    }

    @Test
    void theOldestCostsAListingAndNothingThatIsNoPointIsTakenForIt() throws IOException {
        MachineName db = new MachineName("db");
        assertEquals(Optional.empty(), reader.oldest(db));
        store.put(ObjectKey.of("points", "db", "0-no-point"), ByteBuffer.allocate(1));
        assertEquals(Optional.empty(), reader.oldest(db));
        Point first = Backup.of(writer, folder, "db", new byte[] {1}, Map.of());
        Point second = Backup.of(writer, folder, "db", new byte[] {2}, Map.of());
        Point oldest = newer(first, second).equals(first) ? second : first;
        assertEquals(Optional.of(oldest), reader.oldest(db));
        store.delete(ObjectKey.of("points", "db", "0-no-point"));
        long before = store.statistics().of(Operation.LIST).requests();
        assertEquals(Optional.of(oldest), reader.oldest(db));
        assertEquals(1, store.statistics().of(Operation.LIST).requests() - before);
    }

    @Test
    void whatWasForgottenElsewhereIsNotTheNewest() throws IOException {
        List<Point> both = List.of(backUp(), backUp());
        Point last = newer(both.getFirst(), both.getLast());
        Point other = both.getFirst().equals(last) ? both.getLast() : both.getFirst();
        assertLatest(last, 1);
        writer.catalog().forget(WEB, last.id());
        // Nothing from there on, and then all of them.
        assertLatest(other, 1 + 3);
        assertLatest(other, 1);
    }
}
