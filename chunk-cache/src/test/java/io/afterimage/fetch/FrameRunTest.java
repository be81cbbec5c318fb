package io.afterimage.fetch;

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

    @Test
    void neighboursComeInOneRequestInWhateverOrderTheyAreWanted() {
        List<FrameRun> runs = FrameRun.of(
                List.of(new ChunkAddress(A, 20, 10), new ChunkAddress(A, 1, 19), new ChunkAddress(A, 30, 5)), CHUNK);
        assertEquals(1, runs.size());
        assertEquals(34 * 256, runs.getFirst().length(CHUNK));
        assertEquals(19 * 256, runs.getFirst().offset(new ChunkAddress(A, 20, 10), CHUNK));
    }

    @Test
    void aSmallGapIsReadOverAndALargeOneIsNot() {
        assertEquals(1, FrameRun.of(List.of(new ChunkAddress(A, 1, 10), new ChunkAddress(A, 500, 10)), CHUNK).size());
        assertEquals(2, FrameRun.of(List.of(new ChunkAddress(A, 1, 10), new ChunkAddress(A, 600, 10)), CHUNK).size());
    }

    @Test
    void packsAreAskedApart() {
        assertEquals(2, FrameRun.of(List.of(new ChunkAddress(A, 1, 10), new ChunkAddress(B, 11, 10)), CHUNK).size());
    }

    @Test
    void noRequestIsLongerThanItsLimit() {
        List<ChunkAddress> many = IntStream.range(0, 100)
                .mapToObj(i -> new ChunkAddress(A, 1 + 257 * i, 0))
                .toList();
        List<FrameRun> runs = FrameRun.of(many, CHUNK);
        assertEquals(2, runs.size());
        assertEquals(100, runs.stream().mapToInt(run -> run.addresses().size()).sum());
    }
}
