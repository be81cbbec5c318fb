package io.afterimage.repository;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.afterimage.chunk.ChunkSize;
import io.afterimage.keys.KeySlot;
import io.afterimage.keys.Secret;
import io.afterimage.repository.RepositoryException.Reason;
import io.afterimage.store.ForwardingStore;
import io.afterimage.store.MemoryObjectStore;
import io.afterimage.store.ObjectKey;
import io.afterimage.store.ObjectStore;
import io.afterimage.store.StoreException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.SecureRandom;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Keys come and go, and no data is touched. */
class KeySlotsTest {

    private final SecureRandom random = new SecureRandom();
    private final Secret first = TestRepositories.newKey();
    private final Secret second = TestRepositories.newKey();
    private final MemoryObjectStore store = new MemoryObjectStore();
    private Repository repository;
    private KeySlots slots;

    @BeforeEach
    void create() throws IOException {
        repository = Repository.createEncrypted(store, ChunkSize.DEFAULT, first, random);
        repository.putSealed(ObjectKey.of("probe"), new byte[] {42});
        slots = repository.keySlots().orElseThrow();
    }

    private void assertOpens(Secret secret) throws IOException {
        try (Repository opened = Repository.open(store, KeySource.of(secret))) {
            assertEquals(repository.id(), opened.id());
            assertEquals(42, opened.getSealed(ObjectKey.of("probe"), 1)[0]);
        }
    }

    private void assertOpensNoMore(Secret secret) {
        assertRefused(Reason.WRONG_KEY, () -> Repository.open(store, KeySource.of(secret)).close());
    }

    private interface Attempt {
        void run() throws IOException;
    }

    private static void assertRefused(Reason reason, Attempt attempt) {
        assertEquals(reason, assertThrows(RepositoryException.class, attempt::run).reason());
    }

    @Test
    void anAddedKeyOpensBesideTheOthers() throws IOException {
        KeySlot added = slots.add(second, random);
        assertOpens(first);
        assertOpens(second);
        assertEquals(List.of(slots.own(), added), slots.list());
    }

    @Test
    void aPassphraseOpensHoweverItsLettersAreComposed() throws IOException {
        slots.add(Secret.passphrase("gr\u00fcn"), random);
        assertOpens(Secret.passphrase("gru\u0308n"));
        assertOpensNoMore(Secret.passphrase("gruen"));
    }

    @Test
    void aReplacedKeyOpensNoMore() throws IOException {
        slots.replaceOwn(second, random);
        assertOpens(second);
        assertOpensNoMore(first);
        assertEquals(1, slots.list().size());
    }

    @Test
    void aRemovedKeyOpensNoMoreAndTheLastOneStays() throws IOException {
        KeySlot added = slots.add(second, random);
        slots.remove(slots.own().id());
        assertOpensNoMore(first);
        assertOpens(second);
        assertRefused(Reason.LAST_SLOT, () -> slots.remove(added.id()));
        assertRefused(Reason.NO_SUCH_SLOT, () -> slots.remove("00000000"));
        assertOpens(second);
    }

    @Test
    void thereIsAnEndToSlots() throws IOException {
        for (int i = 1; i < RepositoryHeader.MOST_SLOTS; i++) {
            slots.add(TestRepositories.newKey(), random);
        }
        assertRefused(Reason.TOO_MANY_SLOTS, () -> slots.add(second, random));
        assertOpens(first);
    }

    @Test
    void whatALaterProgramHasWrittenBesideStays() throws IOException {
        String json = new String(header(), StandardCharsets.UTF_8).replaceFirst("\\{", "{ \"later\" : { \"a\" : [ 1 ] },");
        store.put(RepositoryHeader.KEY, ByteBuffer.wrap(json.getBytes(StandardCharsets.UTF_8)));
        slots.add(second, random);
        assertTrue(new String(header(), StandardCharsets.UTF_8).contains("\"later\""));
        assertOpens(second);
    }

    @Test
    void aRepositoryWithoutEncryptionHasNoSlots() throws IOException {
        assertTrue(TestRepositories.create(new MemoryObjectStore(), false).keySlots().isEmpty());
    }

    @Test
    void aChangeThatAnotherOneOverwritesSaysSo() throws IOException {
        ObjectStore racing = new Racing(store, header());
        try (Repository raced = Repository.open(racing, KeySource.of(first))) {
            assertRefused(Reason.SLOTS_CHANGED, () -> raced.keySlots().orElseThrow().add(second, random));
        }
        assertOpens(first);
    }

    @Test
    void aHeaderThatWasReplacedMeanwhileIsNotWrittenOver() throws IOException {
        MemoryObjectStore other = new MemoryObjectStore();
        Repository.createEncrypted(other, ChunkSize.DEFAULT, first, random);
        byte[] foreign = other.getWhole(RepositoryHeader.KEY, RepositoryHeader.LARGEST);
        store.put(RepositoryHeader.KEY, ByteBuffer.wrap(foreign));
        assertRefused(Reason.DAMAGED, () -> slots.add(second, random));
    }

    private byte[] header() throws IOException {
        return store.getWhole(RepositoryHeader.KEY, RepositoryHeader.LARGEST);
    }

    /** A store where somebody else puts his header right after ours. */
    private static final class Racing extends ForwardingStore {

        private final byte[] others;

        Racing(ObjectStore store, byte[] others) {
            super(store);
            this.others = others;
        }

        @Override
        public void put(ObjectKey key, ByteBuffer... content) throws StoreException {
            super.put(key, content);
            super.put(key, ByteBuffer.wrap(others));
        }
    }
}
