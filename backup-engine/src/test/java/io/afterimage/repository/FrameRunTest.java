package io.afterimage.repository;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.afterimage.chunk.ChunkAddress;
import io.afterimage.chunk.ChunkSize;
import io.afterimage.chunk.PackId;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class FrameRunTest {

    private static final ChunkSize CHUNK = ChunkSize.DEFAULT;
    private static final PackId A = new PackId(0, 1);
    private static final PackId B = new PackId(0, 2);

    private static FrameLocation at(PackId pack, int offset, int lengthCode) {
        return FrameLocation.home(new ChunkAddress(pack, offset, lengthCode));
    }

    @Test
    void neighboursComeInOneRequestInWhateverOrderTheyAreWanted() {
        List<FrameRun> runs = FrameRun.of(
                List.of(at(A, 20, 10), at(A, 1, 19), at(A, 30, 5)), CHUNK);
        assertEquals(1, runs.size());
        assertEquals(34 * 256, runs.getFirst().length(CHUNK));
        assertEquals(19 * 256, runs.getFirst().offset(at(A, 20, 10), CHUNK));
    }

    @Test
    void aSmallGapIsReadOverAndALargeOneIsNot() {
        assertEquals(1, FrameRun.of(List.of(at(A, 1, 10), at(A, 500, 10)), CHUNK).size());
        assertEquals(2, FrameRun.of(List.of(at(A, 1, 10), at(A, 600, 10)), CHUNK).size());
    }

    @Test
    void packsAreAskedApart() {
        assertEquals(2, FrameRun.of(List.of(at(A, 1, 10), at(B, 11, 10)), CHUNK).size());
    }

    @Test
    void noRequestIsLongerThanItsLimit() {
        List<FrameLocation> many = IntStream.range(0, 100)
                .mapToObj(i -> at(A, 1 + 257 * i, 0))
                .toList();
        List<FrameRun> runs = FrameRun.of(many, CHUNK);
        assertEquals(2, runs.size());
        assertEquals(100, runs.stream().mapToInt(run -> run.frames().size()).sum());
    }
}
