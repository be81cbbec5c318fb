package io.afterimage.store;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.afterimage.store.Retention.Mode;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What {@link ObjectLock} promises; the test of every store that has it extends this. Retentions are short, so that what is left of them goes. */
public abstract class ObjectLockContract {

    private static final ObjectKey KEY = new ObjectKey("packs/00/a");

    private final Instant soon = Instant.now().plusSeconds(600);
    private ObjectStore store;
    private ObjectLock lock;

    /** The store under test, empty, its bucket made with object lock. */
    protected abstract ObjectStore open() throws IOException;

    /** Whether a version of that content is kept under the key, whatever a listing shows. */
    protected abstract boolean isKept(ObjectKey key, byte[] content) throws IOException;

    @BeforeEach
    final void openStore() throws IOException {
        store = open();
        lock = store.objectLock().orElseThrow();
    }

    @AfterEach
    final void closeStore() throws IOException {
        store.close();
    }

    private static ByteBuffer bytes(String text) {
        return ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8));
    }

    private String content() throws IOException {
        return new String(store.getWhole(KEY, 100), StandardCharsets.UTF_8);
    }

    @Test
    final void anObjectIsLockedFromTheFirstMomentOn() throws IOException {
        for (Mode mode : Mode.values()) {
            ByteBuffer rest = bytes("--rest--").position(2).limit(6);
            lock.put(KEY, new Retention(mode, soon), bytes("the "), rest);
            assertEquals(Optional.of(new Retention(mode, soon)), lock.retention(KEY));
            assertEquals("the rest", content());
            assertEquals(4, rest.remaining());
        }
    }

    @Test
    final void anObjectMayBeLockedLaterAndLonger() throws IOException {
        for (Mode mode : Mode.values()) {
            store.put(KEY, bytes("old"));
            assertEquals(Optional.empty(), lock.retention(KEY));
            for (int longer = 0; longer < 3; longer++) {
                Retention next = new Retention(mode, soon.plusSeconds(longer));
                lock.retain(KEY, next);
                assertEquals(Optional.of(next), lock.retention(KEY));
                lock.retain(KEY, next);
                assertEquals(Optional.of(next), lock.retention(KEY));
            }
            assertEquals("old", content());
        }
    }

    @Test
    final void aRetentionIsNotMadeShorter() throws IOException {
        for (Mode mode : Mode.values()) {
            lock.put(KEY, new Retention(mode, soon), bytes("kept"));
            StoreException refused =
                    assertThrows(StoreException.class, () -> lock.retain(KEY, new Retention(mode, soon.minusSeconds(60))));
            assertEquals(Problem.ACCESS_DENIED, refused.problem(), refused::getMessage);
            assertEquals(StoreException.Outcome.FATAL, refused.outcome());
            assertEquals(Optional.of(new Retention(mode, soon)), lock.retention(KEY));
        }
    }

    @Test
    final void deletingOrOverwritingHidesWhatIsLocked() throws IOException {
        lock.put(KEY, new Retention(Mode.GOVERNANCE, soon), bytes("first"));
        store.put(KEY, bytes("second"));
        assertEquals("second", content());
        assertEquals(Optional.empty(), lock.retention(KEY));
        store.delete(KEY);
        assertEquals(List.of(), store.list(KeyPrefix.ALL).toList());
        assertThrows(ObjectNotFoundException.class, this::content);
        assertTrue(isKept(KEY, "first".getBytes(StandardCharsets.UTF_8)), "a locked version is gone");
    }

    @Test
    final void whatIsNotThereCanNeitherBeAskedOfNorLocked() throws IOException {
        assertThrows(ObjectNotFoundException.class, () -> lock.retention(KEY));
        assertThrows(ObjectNotFoundException.class, () -> lock.retain(KEY, new Retention(Mode.GOVERNANCE, soon)));
        lock.put(KEY, new Retention(Mode.GOVERNANCE, soon), bytes("hidden"));
        store.delete(KEY);
        assertThrows(ObjectNotFoundException.class, () -> lock.retention(KEY));
        assertThrows(ObjectNotFoundException.class, () -> lock.retain(KEY, new Retention(Mode.GOVERNANCE, soon.plusSeconds(1))));
    }

    @Test
    final void aRetentionThatHasPassedIsRefused() throws IOException {
        StoreException refused = assertThrows(
                StoreException.class, () -> lock.put(KEY, new Retention(Mode.GOVERNANCE, Instant.now().minusSeconds(60)), bytes("late")));
        assertEquals(Problem.REFUSED, refused.problem(), refused::getMessage);
    }

    @Test
    final void aWholePackIsTaken() throws IOException {
        byte[] pack = new byte[5_000_000];
        lock.put(KEY, new Retention(Mode.GOVERNANCE, soon), ByteBuffer.wrap(pack, 0, 1_000_000), ByteBuffer.wrap(pack, 1_000_000, 4_000_000));
        assertArrayEquals(pack, store.getWhole(KEY, pack.length));
    }
}
