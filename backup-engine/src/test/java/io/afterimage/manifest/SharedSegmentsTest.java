package io.afterimage.manifest;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.afterimage.chunk.ChunkAddress;
import io.afterimage.chunk.ChunkSize;
import io.afterimage.chunk.PackId;
import java.util.Optional;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

/** Two points of a disk, read from the store one after the other, hold what they have in common once. */
final class SharedSegmentsTest {

    private static final DiskName VDA = new DiskName("vda");
    private static final MachineName WEB = new MachineName("web");
    private static final long SIZE = 5L * Segment.CHUNKS * ChunkSize.DEFAULT.bytes();

    private static Manifest manifest(int number, Optional<Manifest> parent, int... changed) {
        ManifestEditor editor = new ManifestEditor(ChunkSize.DEFAULT, parent);
        BlockMapEditor disk = editor.disk(VDA, SIZE);
        if (parent.isEmpty()) {
            for (int chunk = 0; chunk < 4 * Segment.CHUNKS; chunk++) {
                disk.put(chunk, new ChunkAddress(new PackId(1, 1 + chunk / 100), 1 + chunk % 100, 1));
            }
        }
        for (int chunk : changed) {
            disk.put(chunk, new ChunkAddress(new PackId(2, number), 1 + chunk % 1000, 2));
        }
        return editor.finish(new PointId("%032x".formatted(number)), WEB, new TreeMap<>());
    }

    /** As another process has it: nothing in it is anybody else's. */
    private static Manifest read(Manifest manifest) throws CorruptManifestException {
        return ManifestFile.read(ManifestFile.write(manifest), ChunkSize.DEFAULT);
    }

    private static BlockMap map(Manifest manifest) {
        return manifest.disk(VDA).orElseThrow().map();
    }

    @Test
    void whatIsEqualIsOneAndWhatIsNotIsEachOnesOwn() throws CorruptManifestException {
        Manifest first = manifest(1, Optional.empty());
        Manifest second = manifest(2, Optional.of(first), Segment.CHUNKS + 7, 2 * Segment.CHUNKS - 1);
        BlockMap before = map(read(first));
        BlockMap after = map(read(second));
        assertNotSame(before.encodedSegment(0), after.encodedSegment(0));
        BlockMap shared = after.sharing(before);
        for (int segment : new int[] {0, 2, 3, 4}) {
            assertSame(before.encodedSegment(segment), shared.encodedSegment(segment));
        }
        assertNotSame(before.encodedSegment(1), shared.encodedSegment(1));
        for (long chunk = 0; chunk < shared.chunks(); chunk++) {
            assertEquals(after.address(chunk), shared.address(chunk));
        }
        assertEquals(after.differences(before), shared.differences(before));
        assertTrue(shared.memory() > 4 * Segment.CHUNKS);
    }
}
