package io.afterimage.manifest;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.afterimage.block.ByteRange;
import io.afterimage.chunk.ChunkAddress;
import io.afterimage.chunk.ChunkSize;
import io.afterimage.chunk.PackId;
import java.io.UncheckedIOException;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Optional;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.sqlite.SQLiteConnection;

/** Maps of which no part is looked at before somebody needs it: what is wrong with them is found there, and said in the words of a check of the whole. */
final class UncheckedMapTest {

    private static final ChunkSize CHUNK = new ChunkSize(4096);
    private static final DiskName VDA = new DiskName("vda");
    /** Three segments, of the last of which the disk has ten chunks. */
    private static final int CHUNKS = 2 * Segment.CHUNKS + 10;

    private static Manifest manifest(int chunks) {
        ManifestEditor editor = new ManifestEditor(CHUNK, Optional.empty());
        BlockMapEditor disk = editor.disk(VDA, (long) chunks * CHUNK.bytes());
        for (int chunk = 0; chunk < chunks; chunk += 3) {
            disk.put(chunk, address(chunk));
        }
        return editor.finish(new PointId("0".repeat(32)), new MachineName("web"), new TreeMap<>());
    }

    private static ChunkAddress address(int chunk) {
        return new ChunkAddress(new PackId(1, 1 + chunk / 1000), 1 + chunk % 1000 * 3, 3);
    }

    private static byte[] fileWith(int number, String segment) throws SQLException {
        try (Connection connection = DriverManager.getConnection("jdbc:sqlite::memory:");
                Statement statement = connection.createStatement()) {
            SQLiteConnection database = connection.unwrap(SQLiteConnection.class);
            database.deserialize("main", ManifestFile.write(manifest(CHUNKS)));
            statement.execute("UPDATE segment SET map = x'" + segment + "' WHERE number = " + number);
            return database.serialize("main");
        }
    }

    private static BlockMap map(Manifest manifest) {
        return manifest.disk(VDA).orElseThrow().map();
    }

    private static void assertRefused(String sentence, Executable look) {
        CorruptManifestException refusal = assertInstanceOf(
                CorruptManifestException.class, assertThrows(UncheckedIOException.class, look).getCause());
        assertEquals(sentence, refusal.getMessage());
    }

    @ParameterizedTest
    @CsvSource({
        "1, 02", // cut off behind the number of runs
        "1, 00", // no run
        "1, 0100010001", // no length
        "1, 01000100020505", // more lengths than chunks
        "1, 0100010000 05", // a frame where no frame is
        "1, 0100017f02 05", // of a pack without a name
        "1, 01ff1f020002 0505", // a run beyond the segment
        "2, 01000b0002 0505050505050505050505", // a run beyond the disk
        "2, 010a010002 05" // one right behind it
    })
    void damageIsFoundWhereItIsLookedAt(int number, String segment) throws Exception {
        byte[] file = fileWith(number, segment.replace(" ", ""));
        String sentence = assertThrows(CorruptManifestException.class, () -> ManifestFile.read(file, CHUNK)).getMessage();
        Manifest opened = ManifestFile.open(file, CHUNK);
        BlockMap map = map(opened);
        long begin = (long) number * Segment.CHUNKS;
        for (int chunk = 0; chunk < CHUNKS; chunk++) {
            if (chunk / Segment.CHUNKS != number) {
                ChunkAddress expected = chunk % 3 == 0 ? address(chunk) : null;
                assertEquals(expected, map.address(chunk));
            }
        }
        assertRefused(sentence, () -> map.address(begin));
        assertRefused(sentence, () -> map.address(begin));
        assertRefused(sentence, () -> map.forEachFrame(BlockMap.empty(0, CHUNK), (_, _, _) -> {}));
        assertRefused(sentence, () -> map.differences(BlockMap.empty(map.diskSize(), CHUNK)));
        assertEquals(sentence, assertThrows(CorruptManifestException.class, map::check).getMessage());
        assertEquals(sentence, assertThrows(CorruptManifestException.class, opened::checkMaps).getMessage());
    }

    @Test
    void extentsEndInARefusalNotInAHole() throws Exception {
        BlockMap map = map(ManifestFile.open(fileWith(1, "02"), CHUNK));
        assertEquals(2, map.extents(new ByteRange(0, 2L * CHUNK.bytes()), 10).size());
        assertThrows(UncheckedIOException.class, () -> map.extents(new ByteRange(0, map.diskSize()), Integer.MAX_VALUE));
    }

    @Test
    void whatIsWholePassesAndStaysTheSame() throws Exception {
        Manifest opened = ManifestFile.open(ManifestFile.write(manifest(CHUNKS)), CHUNK);
        opened.checkMaps();
        opened.checkMaps();
        assertEquals(address(Segment.CHUNKS + 2), map(opened).address(Segment.CHUNKS + 2));
        assertNull(map(opened).address(1));
    }

    /** A run that is lawful on a larger disk is not taken over from its map. */
    @Test
    void segmentsAreNotSharedAcrossTheEndOfADisk() throws Exception {
        Manifest large = ManifestFile.open(ManifestFile.write(manifest(Segment.CHUNKS)), CHUNK);
        assertNull(map(large).address(1));
        byte[] segment = map(large).encodedSegment(0);
        BlockMap small = new BlockMap(10L * CHUNK.bytes(), CHUNK, map(large).packs(), new byte[][] {segment.clone()});
        BlockMap shared = small.sharing(map(large));
        assertThrows(UncheckedIOException.class, () -> shared.address(0));
        BlockMap same = new BlockMap(map(large).diskSize(), CHUNK, map(large).packs(), new byte[][] {segment.clone()});
        assertSame(segment, same.sharing(map(large)).encodedSegment(0));
    }
}
