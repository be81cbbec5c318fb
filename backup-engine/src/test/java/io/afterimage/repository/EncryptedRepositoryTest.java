package io.afterimage.repository;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.afterimage.catalog.Catalog;
import io.afterimage.catalog.Point;
import io.afterimage.catalog.PointDescriptor;
import io.afterimage.chunk.ChunkAddress;
import io.afterimage.chunk.ChunkId;
import io.afterimage.chunk.ChunkSize;
import io.afterimage.chunk.CorruptChunkException;
import io.afterimage.chunk.PackId;
import io.afterimage.keys.BrokenSealException;
import io.afterimage.keys.Secret;
import io.afterimage.manifest.BlockMap;
import io.afterimage.manifest.ManifestObjects;
import io.afterimage.pack.CorruptPackException;
import io.afterimage.pack.PackEntry;
import io.afterimage.pack.PackObjects;
import io.afterimage.repository.RepositoryException.Reason;
import io.afterimage.store.KeyPrefix;
import io.afterimage.store.MemoryObjectStore;
import io.afterimage.store.ObjectInfo;
import io.afterimage.store.ObjectKey;
import io.afterimage.store.ObjectStore;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What somebody can do who has the store but no key: read nothing, and put nothing in the place of anything. */
class EncryptedRepositoryTest {

    private static final int CHUNK = ChunkSize.DEFAULT.bytes();
    private static final String WORDS = "the words of a secret document, which nobody but its owner shall read";

    @TempDir
    private Path folder;

    private final Secret secret = TestRepositories.newKey();
    private final ObjectStore store = new MemoryObjectStore();
    private final byte[] disk = disk();
    private Repository repository;
    private Point point;

    @BeforeEach
    void backUp() throws IOException {
        repository = Repository.createEncrypted(store, ChunkSize.DEFAULT, secret, new SecureRandom());
        point = Backup.of(repository, folder.resolve("index"), "web", disk, Map.of("note.txt", WORDS));
    }

    /** Noise, text that compresses, zeros. */
    private static byte[] disk() {
        byte[] bytes = new byte[12 * CHUNK + 100];
        new Random(7).nextBytes(bytes);
        byte[] words = WORDS.getBytes(StandardCharsets.UTF_8);
        for (int at = 4 * CHUNK; at + words.length < 8 * CHUNK; at += words.length) {
            System.arraycopy(words, 0, bytes, at, words.length);
        }
        System.arraycopy(words, 0, bytes, 0, words.length);
        Arrays.fill(bytes, 9 * CHUNK, 10 * CHUNK, (byte) 0);
        return bytes;
    }

    @Test
    void theKeyReadsEverything() throws IOException {
        try (Repository again = Repository.open(store, KeySource.of(secret))) {
            Point found = again.catalog().points(point.machine()).getFirst();
            assertEquals(point, found);
            assertArrayEquals(disk, PointBytes.read(again, found, Backup.DISK));
            assertEquals(WORDS, again.manifest(found).definition().get("note.txt"));
        }
    }

    @Test
    void theStoreShowsNoContent() throws IOException {
        // None so short that ciphertext, which may be any bytes, shows it by chance.
        List<String> tellings =
                List.of(WORDS, WORDS.substring(0, 16), "SQLite format", "INCREMENTAL", "\"disks\"", Backup.DISK.text(), "note.txt");
        for (ObjectKey key : keys()) {
            String text = new String(bytes(key), StandardCharsets.ISO_8859_1);
            for (String telling : tellings) {
                assertFalse(text.contains(telling), key + " shows '" + telling + "'");
            }
        }
    }

    @Test
    void equalDataOfTwoRepositoriesDoesNotLookEqual() throws Exception {
        ObjectStore otherStore = new MemoryObjectStore();
        try (Repository other = Repository.createEncrypted(otherStore, ChunkSize.DEFAULT, secret, new SecureRandom())) {
            Backup.of(other, folder.resolve("other"), "web", disk, Map.of());
            Set<ChunkId> ids = ids(repository);
            assertEquals(ids.size(), ids(other).size());
            assertTrue(Collections.disjoint(ids, ids(other)));
            assertTrue(Collections.disjoint(blocks(store), blocks(otherStore)));
        }
        assertFalse(ids(repository).stream()
                .anyMatch(id -> id.toString().equals(Repository.sha256(Arrays.copyOf(disk, CHUNK)))), "an id is a plain hash of content");
    }

    private static Set<ChunkId> ids(Repository repository) throws IOException {
        Set<ChunkId> ids = new HashSet<>();
        for (ObjectInfo pack : repository.store().list(PackObjects.ALL).toList()) {
            for (PackEntry entry : repository.entries(PackObjects.id(pack.key()).orElseThrow(), pack.size())) {
                ids.add(entry.id());
            }
        }
        return ids;
    }

    /** All that is stored in packs, in pieces of 32 bytes; only padding is the same anywhere. */
    private static Set<ByteBuffer> blocks(ObjectStore store) throws IOException {
        Set<ByteBuffer> blocks = new HashSet<>();
        for (ObjectInfo pack : store.list(PackObjects.ALL).toList()) {
            byte[] bytes = store.getWhole(pack.key(), (int) pack.size());
            for (int at = 0; at + 32 <= bytes.length; at += 32) {
                blocks.add(ByteBuffer.wrap(Arrays.copyOfRange(bytes, at, at + 32)));
            }
        }
        blocks.remove(ByteBuffer.wrap(new byte[32]));
        return blocks;
    }

    @Test
    void aFrameInThePlaceOfAnotherIsRefused() throws IOException {
        List<ChunkAddress> noise = addresses().stream().filter(address -> address.lengthCode() == 0).toList();
        ChunkAddress from = noise.get(0);
        ChunkAddress to = noise.get(1);
        byte[] moved = frame(from);
        CorruptChunkException asItIs = assertThrows(CorruptChunkException.class, () -> decode(moved, to));
        assertTrue(asItIs.getMessage().contains("belongs to " + from), asItIs.getMessage());
        ByteBuffer.wrap(moved).putInt(12, to.offset());
        CorruptChunkException renamed = assertThrows(CorruptChunkException.class, () -> decode(moved, to));
        assertTrue(renamed.getMessage().contains("do not match their tag"), renamed.getMessage());
    }

    @Test
    void noByteOfAFrameCanBeAltered() throws IOException {
        for (ChunkAddress address : List.of(addresses().getFirst(), addresses().get(5))) {
            byte[] frame = frame(address);
            int length = 64 + ByteBuffer.wrap(frame).getInt(8);
            for (int at = 0; at < length; at += at < 128 || at > length - 40 ? 1 : 97) {
                byte[] altered = frame.clone();
                altered[at] ^= 0x10;
                assertThrows(CorruptChunkException.class, () -> decode(altered, address), "byte " + at);
            }
        }
    }

    @Test
    void aPackUnderTheNameOfAnotherIsRefused() throws IOException {
        Random random = new Random(9);
        byte[] more = new byte[disk.length];
        random.nextBytes(more);
        Point second = Backup.of(repository, folder.resolve("index"), "web", more, Map.of());
        PackId first = addresses().getFirst().pack();
        ObjectKey target = PackObjects.key(addresses(second).getFirst().pack());
        byte[] swapped = bytes(PackObjects.key(first));
        store.put(target, ByteBuffer.wrap(swapped));
        assertThrows(CorruptChunkException.class, () -> PointBytes.read(repository, second, Backup.DISK));
        // A liar renames it everywhere: in header, frames and trailer.
        ByteBuffer renamed = ByteBuffer.wrap(swapped.clone());
        ByteBuffer oldName = ByteBuffer.wrap(name(first));
        for (int at = 0; at + 16 <= swapped.length; at += 8) {
            if (renamed.slice(at, 16).equals(oldName)) {
                renamed.put(at, name(PackObjects.id(target).orElseThrow()));
            }
        }
        store.put(target, renamed);
        assertThrows(CorruptChunkException.class, () -> PointBytes.read(repository, second, Backup.DISK));
        assertThrows(CorruptPackException.class, () -> repository.entries(PackObjects.id(target).orElseThrow(), swapped.length));
    }

    @Test
    void anAlteredPackIndexIsRefused() throws Exception {
        PackId pack = addresses().getFirst().pack();
        byte[] bytes = bytes(PackObjects.key(pack));
        int count = repository.entries(pack, bytes.length).size();
        int index = bytes.length - 64 - count * 33;
        // Two chunks change their names, and the liar hashes the index anew, as one without a key can.
        byte[] id = Arrays.copyOfRange(bytes, index, index + 32);
        System.arraycopy(bytes, index + 33, bytes, index, 32);
        System.arraycopy(id, 0, bytes, index + 33, 32);
        MessageDigest digest = MessageDigest.getInstance("SHA-256");
        digest.update(bytes, index, count * 33 + 24);
        System.arraycopy(digest.digest(), 0, bytes, bytes.length - 40, 32);
        store.put(PackObjects.key(pack), ByteBuffer.wrap(bytes));
        CorruptPackException refusal = assertThrows(CorruptPackException.class, () -> repository.entries(pack, bytes.length));
        assertTrue(refusal.getMessage().contains("does not match its hash"), refusal.getMessage());
    }

    @Test
    void theManifestOfAnotherPointIsRefused() throws IOException {
        Point second = Backup.of(repository, folder.resolve("index"), "web", disk, Map.of());
        ObjectKey first = ManifestObjects.key(point.machine(), point.id());
        ObjectKey other = ManifestObjects.key(second.machine(), second.id());
        byte[] replayed = bytes(first);
        store.put(other, ByteBuffer.wrap(replayed));
        // By its length or by its hash.
        assertThrows(IOException.class, () -> repository.manifest(second));
        assertThrows(BrokenSealException.class, () -> repository.seal().open(other, replayed));
        // Nor does it help to know what the descriptor's hash must be.
        Point forged = new Point(
                second.id(), second.machine(), second.time(), second.kind(), second.parent(), second.disks(), second.bytes(), point.manifest(),
                second.immutable());
        assertThrows(BrokenSealException.class, () -> repository.manifest(forged));
    }

    @Test
    void theDescriptorOfAnotherPointOrMachineIsRefused() throws IOException {
        Point second = Backup.of(repository, folder.resolve("index"), "mail", disk, Map.of());
        byte[] replayed = bytes(Catalog.key(point.machine(), point.id()));
        for (ObjectKey place : List.of(
                Catalog.key(second.machine(), second.id()), Catalog.key(second.machine(), point.id()), Catalog.key(point.machine(), second.id()))) {
            store.put(place, ByteBuffer.wrap(replayed));
            try (Repository fresh = Repository.open(store, KeySource.of(secret))) {
                BrokenSealException refusal = assertThrows(BrokenSealException.class, () -> allPoints(fresh));
                assertTrue(refusal.getMessage().contains(place.value()), refusal.getMessage());
            }
            store.delete(place);
        }
    }

    @Test
    void aDescriptorInClearOrWithAnAlteredByteIsRefused() throws IOException {
        ObjectKey key = Catalog.key(point.machine(), point.id());
        byte[] whole = bytes(key);
        List<byte[]> forgeries = new ArrayList<>(List.of(PointDescriptor.of(point).toJson(), new byte[0], Arrays.copyOf(whole, whole.length - 1)));
        for (int at = 0; at < whole.length; at++) {
            byte[] altered = whole.clone();
            altered[at] ^= 1;
            forgeries.add(altered);
        }
        for (byte[] forgery : forgeries) {
            assertThrows(BrokenSealException.class, () -> repository.seal().open(key, forgery));
        }
        store.put(key, ByteBuffer.wrap(forgeries.getFirst()));
        try (Repository fresh = Repository.open(store, KeySource.of(secret))) {
            assertThrows(BrokenSealException.class, () -> allPoints(fresh));
        }
    }

    @Test
    void aWrongKeyAMissingOneAndOneTooMany() throws IOException {
        assertRefused(Reason.WRONG_KEY, KeySource.of(TestRepositories.newKey()));
        assertRefused(Reason.WRONG_KEY, KeySource.of(Secret.passphrase("a guess")));
        assertRefused(Reason.KEY_NEEDED, KeySource.NONE);
        ObjectStore clear = new MemoryObjectStore();
        Repository.create(clear, ChunkSize.DEFAULT, new SecureRandom());
        RepositoryException refusal = assertThrows(RepositoryException.class, () -> Repository.open(clear, KeySource.of(secret)));
        assertEquals(Reason.NOT_ENCRYPTED, refusal.reason());
    }

    @Test
    void anAlteredHeaderDoesNotOpen() throws IOException {
        alterHeader(Reason.WRONG_KEY, json -> json.replace("\"chunkSize\" : 65536", "\"chunkSize\" : 131072"));
        alterHeader(Reason.WRONG_KEY, json -> json.replace(repository.id(), "00".repeat(16)));
        alterHeader(Reason.UNSUPPORTED_FORMAT, json -> json.replace("\"hmac-sha-256\"", "\"sha-256\""));
        alterHeader(Reason.DAMAGED, json -> json.replace("\"hmac-sha-256\"", "\"sha-256\"").replace("\"aes-256-gcm\"", "\"none\""));
        alterHeader(Reason.NOT_ENCRYPTED, json -> json.substring(0, json.indexOf("\"keySlots\"")).replace("\"hmac-sha-256\"", "\"sha-256\"")
                .replace("\"aes-256-gcm\"", "\"none\"") + "\"keySlots\" : [ ] }");
        alterHeader(Reason.WRONG_KEY, json -> json.replace("\"key-file\"", "\"passphrase\"").replace("\"hkdf-sha-256\"",
                "\"argon2id\", \"memory\" : 65536, \"iterations\" : 1, \"parallelism\" : 1"));
        alterHeader(Reason.DAMAGED, json -> json.replace("\"key-file\"", "\"passphrase\"").replace("\"hkdf-sha-256\"",
                "\"argon2id\", \"memory\" : 2000000000, \"iterations\" : 1, \"parallelism\" : 1"));
    }

    private void alterHeader(Reason reason, UnaryOperator<String> change) throws IOException {
        String json = new String(bytes(RepositoryHeader.KEY), StandardCharsets.UTF_8);
        String altered = change.apply(json);
        assertFalse(altered.equals(json));
        store.put(RepositoryHeader.KEY, ByteBuffer.wrap(altered.getBytes(StandardCharsets.UTF_8)));
        assertRefused(reason, KeySource.of(secret));
        store.put(RepositoryHeader.KEY, ByteBuffer.wrap(json.getBytes(StandardCharsets.UTF_8)));
    }

    @Test
    void theKeySlotsOrTheHeaderOfAnotherRepositoryOpenNothing() throws IOException {
        ObjectStore otherStore = new MemoryObjectStore();
        Repository.createEncrypted(otherStore, ChunkSize.DEFAULT, secret, new SecureRandom());
        byte[] own = bytes(RepositoryHeader.KEY);
        byte[] foreign = otherStore.getWhole(RepositoryHeader.KEY, RepositoryHeader.LARGEST);
        RepositoryHeader mixed =
                RepositoryHeader.parse(own, "").withKeySlots(RepositoryHeader.parse(foreign, "").keySlots());
        store.put(RepositoryHeader.KEY, ByteBuffer.wrap(mixed.toJson()));
        assertRefused(Reason.WRONG_KEY, KeySource.of(secret));
        // The whole header of a repository of the same user does open, and then nothing that lies here.
        store.put(RepositoryHeader.KEY, ByteBuffer.wrap(foreign));
        try (Repository foisted = Repository.open(store, KeySource.of(secret))) {
            assertThrows(BrokenSealException.class, () -> allPoints(foisted));
            ChunkAddress address = addresses().getFirst();
            byte[] frame = frame(address);
            assertThrows(CorruptChunkException.class, () -> foisted.decode(frame, 0, address, new byte[CHUNK]));
        }
    }

    @Test
    void smallObjectsOfOthersAreSealedForTheirPlace() throws IOException {
        ObjectKey place = ObjectKey.of("moves", "0".repeat(32), "a.json");
        repository.putSealed(place, WORDS.getBytes(StandardCharsets.UTF_8));
        assertEquals(WORDS, new String(repository.getSealed(place, WORDS.length()), StandardCharsets.UTF_8));
        assertFalse(new String(bytes(place), StandardCharsets.ISO_8859_1).contains(WORDS));
        ObjectKey elsewhere = ObjectKey.of("moves", "1".repeat(32), "a.json");
        store.put(elsewhere, ByteBuffer.wrap(bytes(place)));
        assertThrows(BrokenSealException.class, () -> repository.getSealed(elsewhere, 1000));
    }

    private void assertRefused(Reason reason, KeySource keys) {
        RepositoryException refusal = assertThrows(RepositoryException.class, () -> Repository.open(store, keys));
        assertEquals(reason, refusal.reason(), refusal.getMessage());
    }

    private static void allPoints(Repository repository) throws IOException {
        for (var machine : repository.catalog().machines()) {
            repository.catalog().points(machine);
        }
    }

    private List<ChunkAddress> addresses() throws IOException {
        return addresses(point);
    }

    private List<ChunkAddress> addresses(Point of) throws IOException {
        BlockMap map = repository.manifest(of).disk(Backup.DISK).orElseThrow().map();
        List<ChunkAddress> addresses = new ArrayList<>();
        for (long chunk = 0; chunk < map.chunks(); chunk++) {
            if (map.address(chunk) != null) {
                addresses.add(map.address(chunk));
            }
        }
        return addresses;
    }

    private byte[] frame(ChunkAddress address) throws IOException {
        byte[] frame = new byte[address.byteLength(ChunkSize.DEFAULT)];
        repository.fetch(address, ByteBuffer.wrap(frame));
        return frame;
    }

    private void decode(byte[] frame, ChunkAddress address) throws IOException {
        repository.decode(frame, 0, address, new byte[CHUNK]);
    }

    private List<ObjectKey> keys() throws IOException {
        return store.list(KeyPrefix.ALL).toList().stream().map(ObjectInfo::key).toList();
    }

    private byte[] bytes(ObjectKey key) throws IOException {
        return store.getWhole(key, 64 << 20);
    }

    private static byte[] name(PackId id) {
        byte[] name = new byte[PackId.LENGTH];
        id.put(ByteBuffer.wrap(name));
        return name;
    }
}
