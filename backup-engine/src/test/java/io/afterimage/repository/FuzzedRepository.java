package io.afterimage.repository;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.afterimage.catalog.BackupLease;
import io.afterimage.catalog.FoundLease;
import io.afterimage.catalog.LeaseTerms;
import io.afterimage.catalog.Point;
import io.afterimage.chunk.ChunkAddress;
import io.afterimage.chunk.ChunkSize;
import io.afterimage.chunk.FrameCodec;
import io.afterimage.chunk.PackId;
import io.afterimage.keys.Secret;
import io.afterimage.manifest.BlockMap;
import io.afterimage.manifest.CorruptManifestException;
import io.afterimage.manifest.DiskMap;
import io.afterimage.manifest.MachineName;
import io.afterimage.manifest.ManifestObjects;
import io.afterimage.manifest.PointId;
import io.afterimage.pack.PackBuilder;
import io.afterimage.pack.PackEntry;
import io.afterimage.pack.PackObjects;
import io.afterimage.store.KeyPrefix;
import io.afterimage.store.MemoryObjectStore;
import io.afterimage.store.ObjectInfo;
import io.afterimage.store.ObjectKey;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.regex.Pattern;

/**
 * A small repository with an object of each kind, of which one at a time is changed, and a reader of all of it that compares with what was stored.
 * One pack is gone, and moves tell where its frames are.
 */
final class FuzzedRepository {

    private static final ChunkSize CHUNK = new ChunkSize(4096);
    private static final MachineName WEB = new MachineName("web");
    private static final Pattern SEAL = Pattern.compile("\"manifest\":\\{\"length\":[0-9]+,\"sha256\":\"[0-9a-f]{64}\"");
    private static final Pattern CHECK = Pattern.compile("\"check\":\"[0-9a-f]{64}\"");
    private static final String NO_CHECK = "\"check\":\"" + "0".repeat(64) + "\"";

    private final MemoryObjectStore store = new MemoryObjectStore();
    private final KeySource keys;
    private final Repository repository;
    private final Map<String, byte[]> disks = new TreeMap<>();
    private final Map<PackId, List<PackEntry>> packs = new HashMap<>();
    private final Map<ObjectKey, byte[]> objects = new TreeMap<>();
    private List<ObjectKey> order = List.of();
    private ObjectKey changed = ObjectKey.of("none");

    private FuzzedRepository(boolean encrypted) throws IOException {
        SecureRandom random = new SecureRandom();
        Secret secret = TestRepositories.newKey();
        keys = encrypted ? KeySource.of(secret) : KeySource.NONE;
        repository = encrypted
                ? Repository.createEncrypted(store, CHUNK, secret, random)
                : Repository.create(store, CHUNK, random);
    }

    static FuzzedRepository create(Path folder, boolean encrypted) throws IOException {
        FuzzedRepository made = new FuzzedRepository(encrypted);
        Random random = new Random(1);
        byte[] disk = new byte[20 * CHUNK.bytes() + 100];
        for (int number = 0; number < 3; number++) {
            byte[] text = ("backup " + number + " ").repeat(1000).getBytes(StandardCharsets.US_ASCII);
            byte[] noise = new byte[2 * CHUNK.bytes()];
            random.nextBytes(noise);
            System.arraycopy(text, 0, disk, (3 + 4 * number) * CHUNK.bytes(), text.length);
            System.arraycopy(noise, 0, disk, (5 + 4 * number) * CHUNK.bytes(), noise.length);
            disk[disk.length - 1 - number] = 1;
            Files.createDirectories(folder.resolve("index" + number));
            Point point = Backup.of(made.repository, folder.resolve("index" + number), "web", disk, Map.of("note", "text " + number));
            made.disks.put(point.id().hex(), disk.clone());
        }
        made.moveOnePack();
        made.addWhatIsOnTheWay();
        made.remember();
        return made;
    }

    /** Puts the frames of the first pack into another one, and takes it away. */
    private void moveOnePack() throws IOException {
        ObjectInfo old = store.list(PackObjects.ALL).toList().getFirst();
        PackId id = PackObjects.id(old.key()).orElseThrow();
        FrameCodec codec = repository.codec();
        PackBuilder pack = new PackBuilder(PackId.random(new SecureRandom()), codec);
        List<Move> moves = new ArrayList<>();
        for (PackEntry entry : repository.entries(id, old.size())) {
            byte[] chunk = new byte[CHUNK.bytes()];
            new ChunkReader(repository).read(entry.address(), chunk);
            moves.add(new Move(id, entry.address().offset(), entry.id(), pack.add(codec.encode(entry.id(), chunk, 0))));
        }
        store.put(PackObjects.key(pack.id()), pack.finish());
        repository.moves().put(moves);
        store.delete(old.key());
    }

    private void addWhatIsOnTheWay() throws IOException {
        PackId pack = PackId.random(new SecureRandom());
        Instant now = Instant.now();
        Condemnation.of(now, Set.of(pack), Set.of(), Set.of(ManifestObjects.key(WEB, PointId.at(now, new SecureRandom())))).put(store);
        new Damage(pack, false, List.of(new DamagedFrame(new ChunkAddress(pack, 2, 0), Optional.empty(), false))).put(repository);
        put(ObjectKey.of("leases", "backup", "web", "0b1f7e0a-5a3c-4d0e-8a53-d3d8f1c2b7aa.json"), """
                {"format":1,"expires":"2020-01-01T00:00:00Z","holder":{"host":"9f86d081884c7d65","process":1,"started":2},\
                "points":[{"machine":"web","point":"%s","manifest":{"length":5,"sha256":"%s"}}]}"""
                .formatted(PointId.at(now, new SecureRandom()).hex(), "0".repeat(64))
                .getBytes(StandardCharsets.UTF_8));
    }

    private void put(ObjectKey key, byte[] content) throws IOException {
        store.put(key, ByteBuffer.wrap(content));
    }

    private void remember() throws IOException {
        for (ObjectInfo object : store.list(KeyPrefix.ALL).toList()) {
            objects.put(object.key(), store.getWhole(object.key(), 1 << 30));
            Optional<PackId> pack = PackObjects.id(object.key());
            if (pack.isPresent()) {
                packs.put(pack.get(), repository.entries(pack.get(), object.size()));
            }
        }
        order = List.copyOf(objects.keySet());
    }

    Map<String, byte[]> expected() {
        return disks;
    }

    ObjectKey any(Random random) {
        return order.get(random.nextInt(order.size()));
    }

    void restore() throws IOException {
        for (ObjectInfo object : store.list(KeyPrefix.ALL).toList()) {
            if (!objects.containsKey(object.key())) {
                store.delete(object.key());
            }
        }
        for (Map.Entry<ObjectKey, byte[]> object : objects.entrySet()) {
            put(object.getKey(), object.getValue());
        }
    }

    /** @param adapted by one who makes seals, hashes and checks fit */
    void mutate(ObjectKey key, boolean adapted, Random random) throws Exception {
        changed = key;
        byte[] valid = objects.get(key);
        String kind = key.value().substring(0, Math.max(0, key.value().indexOf('/')));
        boolean sealed = Set.of("points", "manifests", "moves", "damaged").contains(kind);
        if (!adapted) {
            put(key, sealed ? Mutations.bytes(valid, random) : kind.equals("packs") ? Mutations.bytes(valid, random) : Mutations.json(valid, random));
        } else if (kind.equals("packs")) {
            put(key, pack(key, valid, random));
        } else if (kind.equals("manifests")) {
            byte[] file = ManifestObjects.decompress(repository.seal().open(key, valid));
            byte[] mutated = random.nextInt(4) == 0
                    ? Mutations.bytes(ManifestObjects.compress(file), random)
                    : ManifestObjects.compress(Mutations.manifest(file, random));
            repository.putSealed(key, mutated);
            byte[] stored = store.getWhole(key, 1 << 30);
            ObjectKey descriptor = ObjectKey.of("points", "web", key.name() + ".json");
            String seal = "\"manifest\":{\"length\":" + stored.length + ",\"sha256\":\"" + Repository.sha256(stored) + "\"";
            rewrite(descriptor, json -> SEAL.matcher(text(json)).replaceFirst(seal).getBytes(StandardCharsets.UTF_8));
        } else if (sealed) {
            rewrite(key, json -> Mutations.json(json, random));
        } else {
            put(key, Mutations.json(valid, random));
        }
    }

    private void rewrite(ObjectKey key, Function<byte[], byte[]> change) throws IOException {
        String changed = text(change.apply(repository.seal().open(key, objects.get(key))));
        String bare = CHECK.matcher(changed).replaceFirst(NO_CHECK);
        String check = "\"check\":\"" + Repository.sha256(bare.getBytes(StandardCharsets.UTF_8)) + "\"";
        repository.putSealed(key, bare.replace(NO_CHECK, check).getBytes(StandardCharsets.UTF_8));
    }

    private static String text(byte[] json) {
        return new String(json, StandardCharsets.UTF_8);
    }

    /** A pack of which the index says something else. */
    private byte[] pack(ObjectKey key, byte[] valid, Random random) {
        PackId id = PackObjects.id(key).orElseThrow();
        int count = packs.get(id).size();
        byte[] changed = valid.clone();
        int index = valid.length - 64 - 33 * count;
        byte[] part = Mutations.bytes(Arrays.copyOfRange(valid, index, valid.length - 40), random);
        System.arraycopy(part, 0, changed, index, Math.min(part.length, valid.length - 40 - index));
        byte[] hash = repository.codec().seal().indexHash(id, ByteBuffer.wrap(changed).position(index).slice().limit(valid.length - 40 - index));
        System.arraycopy(hash, 0, changed, valid.length - 40, hash.length);
        return changed;
    }

    /**
     * Reads whatever there is. What ends in an exception that is documented is left out.
     *
     * @param exact whether what was read is compared with what was stored
     * @return the disk of each point
     */
    Map<String, byte[]> read(boolean exact) throws Exception {
        Map<String, byte[]> found = new TreeMap<>();
        refusable(() -> {
            Repository opened = Repository.open(store, keys);
            for (MachineName machine : opened.catalog().machines()) {
                for (PointId id : opened.catalog().pointIds(machine)) {
                    refusable(() -> readPoint(opened, opened.catalog().find(machine, id).orElseThrow(), exact, found));
                }
            }
            for (ObjectInfo object : store.list(PackObjects.ALL).toList()) {
                PackId pack = PackObjects.id(object.key()).orElseThrow();
                refusable(() -> {
                    List<PackEntry> entries = opened.entries(pack, object.size());
                    if (exact) {
                        assertEquals(packs.get(pack), entries);
                    }
                });
            }
            refusable(() -> Damage.list(opened));
        });
        refusable(() -> Condemnation.list(store));
        refusable(() -> {
            for (FoundLease lease : FoundLease.list(store, FoundLease.ALL, Duration.ZERO)) {
                lease.isOver(Instant.now(), LeaseTerms.DEFAULT);
                lease.points();
            }
        });
        if (changed.value().startsWith("leases/")) {
            refusable(() -> BackupLease.acquire(store, InstantSource.system(), WEB).close());
        }
        return found;
    }

    private void readPoint(Repository opened, Point point, boolean exact, Map<String, byte[]> found) throws IOException {
        refuseLate(opened, point);
        for (DiskMap disk : opened.manifest(point).disks()) {
            BlockMap map = disk.map();
            if (exact) {
                byte[] bytes = content(opened, map);
                assertArrayEquals(disks.get(point.id().hex()), bytes);
                found.put(point.id().hex(), bytes);
            } else {
                byte[] chunk = new byte[opened.chunkSize().bytes()];
                for (long number = 0; number < Math.min(map.chunks(), 100); number++) {
                    ChunkAddress address = map.address(number);
                    if (address != null) {
                        new ChunkReader(opened).read(address, chunk);
                    }
                }
            }
        }
    }

    /** What is refused when all of it is checked at once is refused, too, where it is looked at, and not in another way. */
    private static void refuseLate(Repository opened, Point point) throws IOException {
        for (DiskMap disk : opened.openManifest(point).disks()) {
            BlockMap map = disk.map();
            boolean refused = false;
            long end = Math.min(map.chunks(), 10_000);
            for (long number = 0; number < end; number++) {
                try {
                    map.address(number);
                } catch (UncheckedIOException e) {
                    assertInstanceOf(CorruptManifestException.class, e.getCause());
                    refused = true;
                }
            }
            if (refused) {
                assertThrows(CorruptManifestException.class, map::check);
            }
        }
    }

    private static byte[] content(Repository opened, BlockMap map) throws IOException {
        int size = opened.chunkSize().bytes();
        assertTrue(map.chunks() < 1000, "a disk of another size");
        byte[] bytes = new byte[(int) map.chunks() * size];
        byte[] chunk = new byte[size];
        for (int number = 0; number < map.chunks(); number++) {
            ChunkAddress address = map.address(number);
            if (address != null) {
                new ChunkReader(opened).read(address, chunk);
                System.arraycopy(chunk, 0, bytes, number * size, size);
            }
        }
        return Arrays.copyOf(bytes, (int) map.diskSize());
    }

    private interface Reading {
        void run() throws Exception;
    }

    private static void refusable(Reading reading) throws Exception {
        try {
            reading.run();
        } catch (IOException e) {
            if (!FormatFuzzTest.isDocumented(e)) {
                throw e;
            }
            assertTrue(e.getMessage() != null && e.getMessage().length() < 2000, "one sentence: " + e.getMessage());
        }
    }
}
