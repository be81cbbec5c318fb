package io.afterimage.fuse.tree;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.afterimage.block.MemoryDevice;
import io.afterimage.catalog.Point;
import io.afterimage.manifest.PointId;
import io.afterimage.pack.PackObjects;
import io.afterimage.store.CountingStore;
import io.afterimage.store.MemoryObjectStore;
import io.afterimage.store.ObjectInfo;
import io.afterimage.store.Operation;
import io.afterimage.store.StoreStatistics;
import io.afterimage.store.Ticker;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A machine with one point, whose disk of 4 MiB has one MBR partition at 1 MiB, of 2 MiB, of which the first is random and the second zeros. */
class RepositoryTreeTest {

    private static final int MIB = 1 << 20;
    private static final Instant TIME = Instant.parse("2026-03-01T04:00:00.123Z");
    private static final String NAME = "20260301T040000.123Z";
    private static final Duration LIFETIME = Duration.ofSeconds(2);

    @TempDir
    private Path folder;

    private final UnpluggedStore cable = new UnpluggedStore(new MemoryObjectStore());
    private final CountingStore store = new CountingStore(cable);
    private final byte[] content = new byte[MIB];
    private long nanos;
    private SampleRepository sample;
    private Point point;
    private RepositoryTree tree;

    @BeforeEach
    void backUp() throws IOException {
        sample = new SampleRepository(folder, store);
        new Random(1).nextBytes(content);
        point = sample.backUp("web", TIME, Map.of("vda", disk()), Map.of("qmp/query-block.json", "[]", "../../etc/passwd", "no"));
        tree = tree();
    }

    private MemoryDevice disk() {
        MemoryDevice disk = new MemoryDevice(4 * MIB);
        ByteBuffer record = ByteBuffer.allocate(512).order(ByteOrder.LITTLE_ENDIAN);
        record.put(446 + 4, (byte) 0x83).putInt(446 + 8, 2048).putInt(446 + 12, 4096).putShort(510, (short) 0xAA55);
        disk.write(0, record);
        disk.write(MIB, ByteBuffer.wrap(content));
        return disk;
    }

    /** A mount of its own: it shares nothing with another one but the repository. */
    private RepositoryTree tree() {
        Ticker ticker = new Ticker() {
            @Override
            public long nanoTime() {
                return nanos;
            }

            @Override
            public void sleep(Duration pause) {
                nanos += pause.toNanos();
            }
        };
        return new RepositoryTree(sample.repository(), sample.images(), ticker, LIFETIME);
    }

    @AfterEach
    void close() throws IOException {
        sample.close();
    }

    private Node node(String path) throws IOException {
        return tree.find(path).orElseThrow(() -> new AssertionError("there is no " + path));
    }

    private List<Node.Entry> entries(String path) throws IOException {
        return StreamSupport.stream(assertInstanceOf(Node.Folder.class, node(path)).entries().spliterator(), false).toList();
    }

    private List<String> names(String path) throws IOException {
        return entries(path).stream().map(Node.Entry::name).toList();
    }

    private byte[] bytes(String path, long offset, int length) throws IOException {
        ByteBuffer target = ByteBuffer.allocate(length);
        try (OpenFile file = assertInstanceOf(Node.File.class, node(path)).open()) {
            file.read(offset, target);
        }
        byte[] read = new byte[target.position()];
        target.flip().get(read);
        return read;
    }

    private void pass(Duration time) {
        nanos += time.toNanos();
    }

    @Test
    void theTreeIsAsDescribed() throws IOException {
        assertEquals(List.of("web"), names("/"));
        assertEquals(List.of(NAME, "by-id", "latest"), names("/web"));
        assertEquals(List.of("vda.raw", "vda.p1", "machine", "point.json"), names("/web/" + NAME));
        assertEquals(List.of(point.id().hex()), names("/web/by-id"));
        assertEquals(NAME, assertInstanceOf(Node.Link.class, node("/web/latest")).target());
        assertEquals("../" + NAME, assertInstanceOf(Node.Link.class, node("/web/by-id/" + point.id())).target());
    }

    @Test
    void whatIsNotThereIsNotFound() throws IOException {
        for (String path : List.of(
                "/db", "/.Trash", "/..", "/web/" + NAME + "x", "/web/20260301T040000.124Z", "/web/20260301T040000Z", "/web/9999999999Z", "/web/by-id/00",
                "/web/" + NAME + "/vdb.raw", "/web/" + NAME + "/vda.p2", "/web/" + NAME + "/vda.p01", "/web/" + NAME + "/vda", "/web/latest/vda.raw",
                "/web/" + NAME + "/point.json/x", "//", "/web//", "/web/" + NAME + "/machine/qmp/x")) {
            assertTrue(tree.find(path).isEmpty(), path);
        }
    }

    @Test
    void disksAndPartitionsAreTheirBytes() throws IOException {
        String disk = "/web/" + NAME + "/vda.raw";
        String partition = "/web/" + NAME + "/vda.p1";
        assertArrayEquals(content, bytes(disk, MIB, MIB));
        assertArrayEquals(content, bytes(partition, 0, MIB));
        assertArrayEquals(new byte[MIB], bytes(partition, MIB, 3 * MIB), "a window ends where it ends");
        assertEquals(0, bytes(partition, 2 * MIB, 10).length);
        assertEquals(0, bytes(partition, Long.MAX_VALUE, 10).length);
        assertEquals(3, bytes(disk, 4 * MIB - 3, 10).length);
    }

    @Test
    void attributesComeFromTheMap() throws IOException {
        Attributes disk = node("/web/" + NAME + "/vda.raw").attributes();
        assertEquals(4 * MIB, disk.size());
        assertEquals(MIB + 64 * 1024, disk.allocated());
        assertEquals(TIME, disk.time());
        Attributes partition = node("/web/" + NAME + "/vda.p1").attributes();
        assertEquals(2 * MIB, partition.size());
        assertEquals(MIB, partition.allocated());
        assertEquals(TIME, node("/web").attributes().time());
        assertEquals(TIME, node("/").attributes().time());
    }

    @Test
    void extendedAttributesNameTheSource() throws IOException {
        Map<String, String> partition = node("/web/" + NAME + "/vda.p1").extendedAttributes();
        assertEquals(point.id().hex(), partition.get("user.afterimage.point"));
        assertEquals("vda", partition.get("user.afterimage.disk"));
        assertEquals("1", partition.get("user.afterimage.partition"));
        assertEquals(Integer.toString(MIB), partition.get("user.afterimage.offset"));
        assertEquals(Integer.toString(2 * MIB), partition.get("user.afterimage.changed_bytes"));
        Node of = node("/web/" + NAME);
        assertTrue(of.extendedAttributes().keySet().containsAll(of.extendedAttributeNames()));
        assertEquals("web", of.extendedAttributes().get("user.afterimage.machine"));
    }

    @Test
    void documentsStayInTheirFolder() throws IOException {
        assertEquals("[]", new String(bytes("/web/" + NAME + "/machine/qmp/query-block.json", 0, 100), StandardCharsets.UTF_8));
        assertEquals("no", new String(bytes("/web/" + NAME + "/machine/%../%../etc/passwd", 0, 100), StandardCharsets.UTF_8));
        assertEquals(List.of("%..", "qmp"), names("/web/" + NAME + "/machine"));
        String json = new String(bytes("/web/" + NAME + "/point.json", 0, 10_000), StandardCharsets.UTF_8);
        assertTrue(json.contains(point.id().hex()) && json.endsWith("}\n"), json);
    }

    @Test
    void inodesAreTheSameInEveryMountAndOfOneNodeEach() throws IOException {
        Set<Long> inodes = new HashSet<>();
        List<String> folders = new ArrayList<>(List.of("/"));
        RepositoryTree other = tree();
        int nodes = 0;
        while (!folders.isEmpty()) {
            String path = folders.removeFirst();
            for (Node.Entry entry : entries(path)) {
                String child = (path.equals("/") ? "" : path) + "/" + entry.name();
                Attributes attributes = node(child).attributes();
                assertEquals(entry.inode(), attributes.inode(), child);
                assertEquals(entry.kind(), attributes.kind(), child);
                assertEquals(entry.inode(), other.find(child).orElseThrow().attributes().inode(), child);
                inodes.add(entry.inode());
                nodes++;
                if (entry.kind() == Attributes.Kind.FOLDER) {
                    folders.add(child);
                }
            }
        }
        assertEquals(nodes, inodes.size());
        assertFalse(inodes.contains(0L) || inodes.contains(1L));
    }

    @Test
    void newPointsAppearAndForgottenOnesVanish() throws IOException {
        names("/web");
        Point later = sample.backUp("web", TIME.plusSeconds(60), Map.of("vda", disk()), Map.of());
        assertEquals(List.of(NAME, "by-id", "latest"), names("/web"), "a listing is kept for a moment");
        pass(LIFETIME);
        assertEquals(List.of(NAME, "20260301T040100.123Z", "by-id", "latest"), names("/web"));
        sample.repository().catalog().forget(later.machine(), later.id());
        sample.repository().catalog().forget(point.machine(), point.id());
        pass(LIFETIME);
        assertTrue(tree.find("/web").isEmpty());
        assertEquals(List.of(), names("/"));
    }

    @Test
    void whatIsOpenStaysReadable() throws IOException {
        try (OpenFile file = assertInstanceOf(Node.File.class, node("/web/" + NAME + "/vda.p1")).open()) {
            sample.repository().catalog().forget(point.machine(), point.id());
            pass(LIFETIME);
            assertTrue(tree.find("/web/" + NAME + "/vda.p1").isEmpty());
            ByteBuffer target = ByteBuffer.allocate(MIB);
            file.read(0, target);
            assertArrayEquals(content, target.array());
        }
    }

    @Test
    void manyPointsAreListedWithoutTheirDescriptors() throws IOException {
        for (int minute = 1; minute <= 3_000; minute++) {
            sample.list(point, id(TIME.plusSeconds(60L * minute), minute));
        }
        StoreStatistics before = store.statistics();
        List<String> names = names("/web");
        assertEquals(3_003, names.size());
        assertEquals(names.subList(0, 3_001).stream().sorted().toList(), names.subList(0, 3_001));
        for (String name : names) {
            node("/web/" + name).attributes();
        }
        StoreStatistics.Tally reads = store.statistics().since(before).of(Operation.GET);
        assertEquals(0, reads.requests());
    }

    @Test
    void pointsOfOneMillisecondHaveNamesOfTheirOwn() throws IOException {
        sample.list(point, new PointId(point.id().hex().substring(0, 12) + "ffffffffffffffffffff"));
        List<String> names = names("/web").subList(0, 2);
        assertEquals(List.of(NAME, NAME + "-ffffffffffffffffffff"), names);
        assertEquals(entries("/web").get(1).inode(), node("/web/" + names.get(1)).attributes().inode());
        assertEquals(entries("/web").get(0).inode(), node("/web/" + NAME + "-" + point.id().hex().substring(12)).attributes().inode());
    }

    @Test
    void aPointWhoseManifestIsDamagedFailsAndTheOthersDoNot() throws IOException {
        PointId bad = sample.list(point, id(TIME.plusSeconds(1), 7));
        assertThrows(IOException.class, () -> tree.find("/web/20260301T040001.123Z/vda.raw"));
        assertTrue(tree.find("/web/20260301T040001.123Z/point.json").isPresent(), bad::hex);
        node("/web/" + NAME + "/vda.raw");
    }

    @Test
    void anUnreadableTableHidesNoDisk() throws IOException {
        for (ObjectInfo pack : store.list(PackObjects.ALL).toList()) {
            store.delete(pack.key());
        }
        assertEquals(List.of("vda.raw", "machine", "point.json"), names("/web/" + NAME));
        assertThrows(IOException.class, () -> tree.find("/web/" + NAME + "/vda.p1"));
    }

    @Test
    void whileTheStoreIsGoneWhatWasThereIsShown() throws IOException {
        names("/web");
        names("/");
        cable.plug(false);
        pass(LIFETIME);
        assertEquals(List.of(NAME, "by-id", "latest"), names("/web"));
        assertEquals(List.of("web"), names("/"));
        assertThrows(IOException.class, () -> tree.find("/db"), "what was never seen cannot be said to be missing");
    }

    @Test
    void usageIsThatOfThePacks() {
        Usage usage = tree.usage();
        assertTrue(usage.packs() == 1 && usage.bytes() > MIB, usage::toString);
    }

    private static PointId id(Instant time, int number) {
        return new PointId(PointId.timeDigits(time) + String.format("%020x", number));
    }
}
