package io.afterimage.image;

import com.github.luben.zstd.Zstd;
import com.github.luben.zstd.ZstdException;
import io.afterimage.block.MemoryDevice;
import io.afterimage.capture.Capture;
import io.afterimage.capture.Progress;
import io.afterimage.capture.SourceDisk;
import io.afterimage.catalog.BackupLease;
import io.afterimage.catalog.Catalog;
import io.afterimage.catalog.LeaseTerms;
import io.afterimage.catalog.OpenPoints;
import io.afterimage.catalog.Point;
import io.afterimage.chunk.ChunkAddress;
import io.afterimage.chunk.ChunkSize;
import io.afterimage.fetch.FetchSettings;
import io.afterimage.index.ChunkIndex;
import io.afterimage.keys.Secret;
import io.afterimage.manifest.BlockMap;
import io.afterimage.manifest.DiskMap;
import io.afterimage.manifest.DiskName;
import io.afterimage.manifest.MachineName;
import io.afterimage.manifest.Manifest;
import io.afterimage.manifest.ManifestObjects;
import io.afterimage.manifest.PointId;
import io.afterimage.pack.PackObjects;
import io.afterimage.repository.KeySource;
import io.afterimage.repository.PointWriter;
import io.afterimage.repository.Repository;
import io.afterimage.store.KeyPrefix;
import io.afterimage.store.MemoryObjectStore;
import io.afterimage.store.ObjectKey;
import io.afterimage.store.ObjectStore;
import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Collections;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * A repository of three machines with two disks and four points each, with chunks in common, of which the bytes of every disk are known; and somebody
 * who damages its objects and tells, from the formats alone, what that must touch.
 */
final class DamagedRepository implements Closeable {

    private static final ChunkSize CHUNK = new ChunkSize(4096);
    private static final List<MachineName> MACHINES = List.of(new MachineName("db"), new MachineName("mail"), new MachineName("web"));
    private static final Map<DiskName, Integer> SIZES = Map.of(new DiskName("vda"), 150 * 4096 + 700, new DiskName("vdb"), 40 * 4096);
    private static final int FRAME_HEADER = 64;
    private static final int PACK_HEADER = 32;

    private final SecureRandom secure = new SecureRandom();
    private final Random random;
    private final boolean encrypted;
    private final Repository repository;
    private final ObjectStore store;
    private final ChunkIndex index;
    private final Map<Stored, byte[]> disks = new TreeMap<>();
    private final Map<Stored, Point> points = new TreeMap<>();
    private final List<String> planted = new ArrayList<>();

    /** One disk of one point. */
    record Stored(MachineName machine, PointId point, DiskName disk) implements Comparable<Stored> {

        @Override
        public int compareTo(Stored other) {
            return toString().compareTo(other.toString());
        }

        @Override
        public String toString() {
            return machine + "@" + point + "/" + disk;
        }
    }

    private DamagedRepository(Path folder, long seed, boolean encrypted) throws IOException {
        random = new Random(seed);
        this.encrypted = encrypted;
        store = new MemoryObjectStore();
        if (encrypted) {
            var key = Secret.keyFile(Secret.newKeyFile(secure));
            Repository.createEncrypted(store, CHUNK, key, secure);
            repository = Repository.open(store, KeySource.of(key));
        } else {
            repository = Repository.create(store, CHUNK, secure);
        }
        index = ChunkIndex.open(folder.resolve("index"));
    }

    static DamagedRepository make(Path folder, long seed, boolean encrypted) throws IOException {
        DamagedRepository made = new DamagedRepository(folder, seed, encrypted);
        Map<DiskName, byte[]> base = new TreeMap<>();
        SIZES.forEach((name, size) -> {
            base.put(name, new byte[size]);
            for (int chunk = 0; chunk * 4096 < size; chunk++) {
                made.fill(base.get(name), chunk);
            }
        });
        for (MachineName machine : MACHINES) {
            Map<DiskName, byte[]> now = new TreeMap<>();
            base.forEach((name, bytes) -> now.put(name, bytes.clone()));
            for (int i = 0; i < 4; i++) {
                now.values().forEach(made::change);
                made.backUp(machine, now, true);
            }
        }
        return made;
    }

    private void change(byte[] disk) {
        for (int i = 0; i < 12; i++) {
            fill(disk, random.nextInt(disk.length / 4096));
        }
    }

    /** Bytes that do not compress, bytes that do, or zeros. */
    private void fill(byte[] disk, int chunk) {
        byte[] bytes = new byte[Math.min(4096, disk.length - chunk * 4096)];
        int kind = random.nextInt(5);
        if (kind < 2) {
            random.nextBytes(bytes);
        } else if (kind < 4) {
            for (int i = 0; i < bytes.length; i++) {
                bytes[i] = (byte) ('a' + random.nextInt(3));
            }
        }
        System.arraycopy(bytes, 0, disk, chunk * 4096, bytes.length);
    }

    private void backUp(MachineName machine, Map<DiskName, byte[]> now, boolean whole) throws IOException {
        try (BackupLease lease = BackupLease.acquire(store, InstantSource.system(), machine)) {
            List<PointId> ids = repository.catalog().pointIds(machine);
            Optional<Manifest> parent = repository.parent(lease, ids.reversed());
            Instant time = Instant.now();
            PointId id = PointId.next(ids.reversed().stream().findFirst(), time, secure);
            List<SourceDisk> sources = new ArrayList<>();
            now.forEach((name, bytes) -> {
                MemoryDevice device = new MemoryDevice(bytes.length);
                device.write(0, ByteBuffer.wrap(bytes));
                sources.add(whole ? SourceDisk.whole(name, device, Optional.empty()) : SourceDisk.changed(name, device, List.of()));
            });
            try (PointWriter writer = new PointWriter(repository, lease, index, parent, secure)) {
                Point point = new Capture(machine, id, time, parent, new TreeMap<>())
                        .run(repository, writer, sources, Progress.NONE)
                        .commit();
                now.forEach((name, bytes) -> {
                    disks.put(new Stored(machine, id, name), bytes.clone());
                    points.put(new Stored(machine, id, name), point);
                });
            }
        }
    }

    private Map<DiskName, byte[]> at(MachineName machine, PointId point) {
        Map<DiskName, byte[]> found = new TreeMap<>();
        disks.forEach((disk, bytes) -> {
            if (disk.machine.equals(machine) && disk.point.equals(point)) {
                found.put(disk.disk, bytes);
            }
        });
        return found;
    }

    private List<PointId> pointsOf(MachineName machine) {
        return disks.keySet().stream().filter(disk -> disk.machine.equals(machine)).map(Stored::point).distinct().toList();
    }

    /** An increment of each machine, of which no bitmap says that anything has changed. */
    void backUpUnchanged() throws IOException {
        for (MachineName machine : MACHINES) {
            backUp(machine, at(machine, pointsOf(machine).getLast()), false);
        }
    }

    void backUpUnchangedImages() throws IOException {
        for (MachineName machine : MACHINES) {
            backUp(machine, at(machine, pointsOf(machine).getLast()), true);
        }
    }

    /** Images of each machine's disks as they were at each of its points. */
    void backUpAllOld() throws IOException {
        for (MachineName machine : MACHINES) {
            for (PointId point : pointsOf(machine)) {
                backUp(machine, at(machine, point), true);
            }
        }
    }

    private byte[] get(ObjectKey key) throws IOException {
        return store.getWhole(key, Integer.MAX_VALUE - 8);
    }

    private List<ObjectKey> keys(ObjectStore from, KeyPrefix prefix) throws IOException {
        List<ObjectKey> keys = new ArrayList<>(from.list(prefix).toList().stream().map(object -> object.key()).toList());
        Collections.shuffle(keys, random);
        return keys;
    }

    /**
     * Damages that many packs, some perhaps by exchanging them with others.
     *
     * @param lost receives the chunks that can be read no more
     * @return the packs whose damage means anything
     */
    Set<ObjectKey> damagePacks(int count, Map<Stored, BitSet> lost) throws IOException {
        List<ObjectKey> keys = keys(store, PackObjects.ALL);
        Map<ObjectKey, byte[]> before = new LinkedHashMap<>();
        for (ObjectKey key : keys) {
            before.put(key, get(key));
        }
        for (int i = 0; i < count; i++) {
            damage(keys.removeLast(), keys);
        }
        Set<ObjectKey> bad = new TreeSet<>();
        Map<ObjectKey, byte[]> after = new LinkedHashMap<>();
        for (ObjectKey key : keys(store, PackObjects.ALL)) {
            after.put(key, get(key));
        }
        before.forEach((key, bytes) -> {
            byte[] now = after.get(key);
            if (now == null || now.length != bytes.length || !Arrays.equals(bytes, 0, PACK_HEADER, now, 0, PACK_HEADER)) {
                bad.add(key);
            } else {
                ByteBuffer trailer = ByteBuffer.wrap(bytes, bytes.length - 64, 64);
                int frames = bytes.length - 64 - trailer.getInt() * 33;
                if (!Arrays.equals(bytes, frames, bytes.length, now, frames, now.length)) {
                    bad.add(key);
                }
            }
        });
        for (Map.Entry<Stored, Point> disk : points.entrySet()) {
            BlockMap map = map(disk.getKey());
            BitSet chunks = new BitSet();
            for (int chunk = 0; chunk < map.chunks(); chunk++) {
                ChunkAddress address = map.address(chunk);
                if (address != null) {
                    ObjectKey key = PackObjects.key(address.pack());
                    byte[] content = Arrays.copyOfRange(disks.get(disk.getKey()), chunk * 4096, chunk * 4096 + 4096);
                    if (isLost(address, before.get(key), after.get(key), content)) {
                        chunks.set(chunk);
                        bad.add(key);
                    }
                }
            }
            if (!chunks.isEmpty()) {
                lost.put(disk.getKey(), chunks);
            }
        }
        return bad;
    }

    private boolean isLost(ChunkAddress address, byte[] before, byte[] after, byte[] content) {
        int from = (int) address.byteOffset(CHUNK);
        if (after == null || after.length < from + address.byteLength(CHUNK)) {
            return true;
        }
        int payload = ByteBuffer.wrap(before, from + 8, 4).getInt();
        if (Arrays.equals(before, from, from + FRAME_HEADER + payload, after, from, from + FRAME_HEADER + payload)) {
            return false;
        }
        boolean headerIsWhole = Arrays.equals(before, from, from + FRAME_HEADER, after, from, from + FRAME_HEADER);
        boolean isCompressed = ByteBuffer.wrap(before, from + 4, 4).getInt() == 1;
        // A decoder passes over some bits of a zstd frame.
        return !headerIsWhole || encrypted || !isCompressed || !decompressesTo(content, after, from + FRAME_HEADER, payload);
    }

    private static boolean decompressesTo(byte[] content, byte[] bytes, int offset, int length) {
        try {
            return Arrays.equals(content, Zstd.decompress(Arrays.copyOfRange(bytes, offset, offset + length), 4096));
        } catch (ZstdException e) {
            return false;
        }
    }

    private BlockMap map(Stored disk) throws IOException {
        return repository.manifest(points.get(disk)).disk(disk.disk).map(DiskMap::map).orElseThrow();
    }

    /** Does something to an object; one of the others may be exchanged with it, and is taken from them then. */
    private void damage(ObjectKey key, List<ObjectKey> others) throws IOException {
        byte[] bytes = get(key);
        int kind = random.nextInt(key.value().startsWith("points/") ? 6 : 8);
        if (kind < 3) {
            Set<Integer> bits = new TreeSet<>();
            int count = 1 + random.nextInt(8);
            while (bits.size() < count) {
                bits.add(random.nextInt(bytes.length * 8));
            }
            bits.forEach(bit -> bytes[bit / 8] ^= (byte) (1 << bit % 8));
            store.put(key, ByteBuffer.wrap(bytes));
            planted.add("bits " + bits + " of " + key);
        } else if (kind < 5) {
            int length = random.nextInt(bytes.length);
            store.put(key, ByteBuffer.wrap(bytes, 0, length));
            planted.add(key + " cut off at " + length + " of " + bytes.length);
        } else if (kind < 6) {
            ObjectKey other = others.removeLast();
            store.put(key, ByteBuffer.wrap(get(other)));
            store.put(other, ByteBuffer.wrap(bytes));
            planted.add(key + " exchanged with " + other);
        } else {
            store.delete(key);
            planted.add(key + " deleted");
        }
    }

    /** Damages descriptors and manifests, of each point one of them at most, and tells which. */
    Set<ObjectKey> damageDescriptorsAndManifests(int count) throws IOException {
        List<ObjectKey> descriptors = new ArrayList<>();
        List<ObjectKey> manifests = new ArrayList<>();
        List<Stored> shuffled = new ArrayList<>(disks.keySet());
        Collections.shuffle(shuffled, random);
        Set<PointId> seen = new TreeSet<>((a, b) -> a.hex().compareTo(b.hex()));
        for (Stored disk : shuffled) {
            if (seen.add(disk.point)) {
                (seen.size() % 2 == 0 ? descriptors : manifests).add(seen.size() % 2 == 0 ? descriptor(disk) : manifest(disk));
            }
        }
        Map<ObjectKey, byte[]> before = new TreeMap<>();
        for (ObjectKey key : descriptors) {
            before.put(key, get(key));
        }
        for (ObjectKey key : manifests) {
            before.put(key, get(key));
        }
        for (int i = 0; i < count; i++) {
            List<ObjectKey> kind = i % 2 == 0 ? descriptors : manifests;
            damage(kind.removeLast(), kind);
        }
        Set<ObjectKey> bad = new TreeSet<>();
        Set<ObjectKey> left = new TreeSet<>(keys(store, KeyPrefix.ALL));
        for (Map.Entry<ObjectKey, byte[]> object : before.entrySet()) {
            if (!left.contains(object.getKey()) || !Arrays.equals(object.getValue(), get(object.getKey()))) {
                bad.add(object.getKey());
            }
        }
        return bad;
    }

    ObjectKey descriptor(Stored disk) {
        return Catalog.key(disk.machine, disk.point);
    }

    ObjectKey manifest(Stored disk) {
        return ManifestObjects.key(disk.machine, disk.point);
    }

    /** What of {@code lost} lies at a place that no machine's newest point has. */
    Map<Stored, BitSet> withoutChunksOfNewest(Map<Stored, BitSet> lost) throws IOException {
        Set<ChunkAddress> healed = new HashSet<>();
        for (MachineName machine : MACHINES) {
            PointId newest = pointsOf(machine).getLast();
            for (DiskName disk : SIZES.keySet()) {
                Stored stored = new Stored(machine, newest, disk);
                BlockMap map = map(stored);
                lost.getOrDefault(stored, new BitSet()).stream().forEach(chunk -> healed.add(map.address(chunk)));
            }
        }
        Map<Stored, BitSet> left = new TreeMap<>();
        for (Map.Entry<Stored, BitSet> entry : lost.entrySet()) {
            BlockMap map = map(entry.getKey());
            BitSet chunks = (BitSet) entry.getValue().clone();
            entry.getValue().stream().filter(chunk -> healed.contains(map.address(chunk))).forEach(chunks::clear);
            if (!chunks.isEmpty()) {
                left.put(entry.getKey(), chunks);
            }
        }
        return left;
    }

    /** The disk's bytes, if the point can be opened by somebody who has never seen it. */
    Optional<byte[]> tryRead(Stored disk) throws IOException {
        try (ImageLibrary images = images()) {
            Point point = new Catalog(store, repository.seal()).find(disk.machine, disk.point).orElseThrow();
            try (PointInTimeImage image = images.open(point, disk.disk)) {
                ByteBuffer bytes = ByteBuffer.allocate((int) image.size());
                image.read(0, bytes);
                return Optional.of(bytes.array());
            }
        } catch (IOException e) {
            return Optional.empty();
        }
    }

    ImageLibrary images() {
        return new ImageLibrary(
                repository, new OpenPoints(new MemoryObjectStore(), InstantSource.system(), LeaseTerms.DEFAULT), 16L << 20, Optional.empty(), FetchSettings.DEFAULT);
    }

    Repository repository() {
        return repository;
    }

    Map<Stored, byte[]> disks() {
        return disks;
    }

    Point point(Stored disk) {
        return points.get(disk);
    }

    int chunkSize() {
        return CHUNK.bytes();
    }

    /** All that was done to it, for the message of a failing test. */
    String planted() {
        return String.join("\n", planted);
    }

    @Override
    public void close() throws IOException {
        index.close();
        repository.close();
    }
}
