package io.afterimage.manifest;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.afterimage.block.ByteRange;
import io.afterimage.block.Extent;
import io.afterimage.chunk.ChunkAddress;
import io.afterimage.chunk.ChunkSize;
import io.afterimage.chunk.PackId;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Maps against the simplest model of one: a table from chunk to address. */
class ManifestTest {

    private static final MachineName MACHINE = new MachineName("web");
    private static final DiskName VDA = new DiskName("vda");
    private static final ChunkSize CHUNK = ChunkSize.DEFAULT;

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5, 6})
    void aHistoryOfRandomChangesIsKeptExactly(long seed) throws Exception {
        Random random = new Random(seed);
        Map<Long, ChunkAddress> model = new HashMap<>();
        Optional<Manifest> parent = Optional.empty();
        long size = random.nextLong(1, 40_000L * CHUNK.bytes());
        for (int point = 0; point < 12; point++) {
            if (random.nextInt(4) == 0) {
                size = random.nextLong(1, 40_000L * CHUNK.bytes());
                long chunks = CHUNK.count(size);
                model.keySet().removeIf(chunk -> chunk >= chunks);
            }
            ManifestEditor editor = new ManifestEditor(CHUNK, parent);
            BlockMapEditor map = editor.disk(VDA, size);
            Set<Long> changed = new HashSet<>();
            change(random, map, model, changed, CHUNK.count(size));
            Manifest manifest = editor.finish(pointId(point), MACHINE, new TreeMap<>(Map.of("a/b.json", "{}")));
            Manifest read = ManifestFile.read(ManifestFile.write(manifest), CHUNK);
            assertSameAs(model, read, size);
            if (parent.isPresent()) {
                assertChanges(changed, read.disks().getFirst().changed(), size);
                assertDifferences(read.disk(VDA).orElseThrow().map(), parent.get().disk(VDA).orElseThrow().map());
            }
            assertEquals(parent.map(Manifest::point), read.parent());
            assertEquals(manifest.definition(), read.definition());
            parent = Optional.of(read);
        }
    }

    private static void change(
            Random random, BlockMapEditor map, Map<Long, ChunkAddress> model, Set<Long> changed, long chunks) {
        for (int pack = 0; pack < 3; pack++) {
            PackId id = new PackId(random.nextLong(), random.nextLong());
            int offset = 1;
            long chunk = random.nextLong(chunks);
            for (int i = 0; i < 500 && chunk < chunks && offset < ChunkAddress.OFFSETS - 300; i++) {
                ChunkAddress address = new ChunkAddress(id, offset, random.nextInt(256));
                if (random.nextInt(5) == 0) {
                    map.putZeros(chunk, chunk + 1);
                    if (model.remove(chunk) != null) {
                        changed.add(chunk);
                    }
                } else {
                    map.put(chunk, address);
                    model.put(chunk, address);
                    changed.add(chunk);
                    offset += ChunkAddress.units(address.lengthCode(), CHUNK);
                }
                chunk += random.nextInt(10) == 0 ? 1 + random.nextInt(300) : 1;
            }
        }
    }

    private static void assertSameAs(Map<Long, ChunkAddress> model, Manifest read, long size) {
        BlockMap map = read.disk(VDA).orElseThrow().map();
        assertEquals(size, map.diskSize());
        for (long chunk = 0; chunk < map.chunks(); chunk++) {
            assertEquals(model.get(chunk), map.address(chunk), "chunk " + chunk);
        }
        Set<PackId> named = new HashSet<>();
        model.values().forEach(address -> named.add(address.pack()));
        assertEquals(named, new HashSet<>(read.packs().ids()));
        assertEquals(named.size(), read.packs().ids().size());
        assertExtents(model, map);
    }

    private static void assertExtents(Map<Long, ChunkAddress> model, BlockMap map) {
        ByteRange range = ByteRange.between(Math.min(1000, map.diskSize()), map.diskSize());
        long at = range.offset();
        Extent.Kind last = null;
        for (Extent extent : map.extents(range, Integer.MAX_VALUE)) {
            assertEquals(at, extent.range().offset());
            assertTrue(extent.kind() != last, "neighbours differ");
            for (long chunk = at / CHUNK.bytes(); chunk * CHUNK.bytes() < extent.range().end(); chunk++) {
                assertEquals(model.containsKey(chunk), extent.kind() == Extent.Kind.DATA, "chunk " + chunk);
            }
            at = extent.range().end();
            last = extent.kind();
        }
        assertEquals(range.end(), at);
    }

    private static void assertChanges(Set<Long> changed, List<ByteRange> ranges, long size) {
        Set<Long> told = new HashSet<>();
        long end = -1;
        for (ByteRange range : ranges) {
            assertTrue(range.offset() > end && range.end() <= size);
            end = range.end();
            for (long chunk = range.offset() / CHUNK.bytes(); chunk * CHUNK.bytes() < range.end(); chunk++) {
                told.add(chunk);
            }
        }
        assertEquals(changed, told);
    }

    private static void assertDifferences(BlockMap map, BlockMap before) {
        Set<Long> expected = new HashSet<>();
        for (long chunk = 0; chunk < map.chunks(); chunk++) {
            boolean same = chunk < before.chunks() && Objects.equals(map.address(chunk), before.address(chunk));
            if (!same) {
                expected.add(chunk);
            }
        }
        assertChanges(expected, map.differences(before), map.diskSize());
    }

    @Test
    void aZeroedChunkIsAbsentAndToldAsChanged() throws Exception {
        ManifestEditor first = new ManifestEditor(CHUNK, Optional.empty());
        first.disk(VDA, 10L * CHUNK.bytes()).put(3, new ChunkAddress(new PackId(1, 1), 1, 10));
        Manifest full = first.finish(pointId(0), MACHINE, new TreeMap<>());
        ManifestEditor second = new ManifestEditor(CHUNK, Optional.of(full));
        second.disk(VDA, 10L * CHUNK.bytes()).putZeros(3, 4);
        Manifest increment = ManifestFile.read(
                ManifestFile.write(second.finish(pointId(1), MACHINE, new TreeMap<>())), CHUNK);
        DiskMap disk = increment.disk(VDA).orElseThrow();
        assertNull(disk.map().address(3));
        assertEquals(List.of(new ByteRange(3L * CHUNK.bytes(), CHUNK.bytes())), disk.changed());
        assertTrue(increment.packs().ids().isEmpty());
    }

    @Test
    void aDamagedFileIsRefusedOrReadsAsAWholeOneButNeverBreaksTheReader() {
        ManifestEditor editor = new ManifestEditor(CHUNK, Optional.empty());
        BlockMapEditor map = editor.disk(VDA, 5000L * CHUNK.bytes());
        change(new Random(7), map, new HashMap<>(), new HashSet<>(), 5000);
        byte[] file = ManifestFile.write(editor.finish(pointId(0), MACHINE, new TreeMap<>()));
        Random random = new Random(8);
        for (int i = 0; i < 3000; i++) {
            byte[] damaged = file.clone();
            for (int hits = random.nextInt(4); hits >= 0; hits--) {
                damaged[random.nextInt(damaged.length)] = (byte) random.nextInt();
            }
            try {
                ManifestFile.read(damaged, CHUNK).disks().forEach(disk -> disk.map().next(0, true));
            } catch (CorruptManifestException expected) {
                assertTrue(expected.getMessage().startsWith("the manifest is damaged: "));
            }
        }
        for (int length = 0; length < file.length; length += 97) {
            byte[] cut = Arrays.copyOf(file, length);
            assertThrows(CorruptManifestException.class, () -> ManifestFile.read(cut, CHUNK));
        }
    }

    private static PointId pointId(int number) {
        return new PointId(String.format("%032x", number));
    }
}
