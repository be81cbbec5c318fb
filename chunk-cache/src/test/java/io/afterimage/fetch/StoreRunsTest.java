package io.afterimage.fetch;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.afterimage.chunk.ChunkAddress;
import io.afterimage.repository.ChunkReader;
import io.afterimage.repository.FrameLocation;
import io.afterimage.repository.FrameRun;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** Runs of frames, and those who wait for some of them. */
final class StoreRunsTest {

    private static final int FRAMES = 200;

    private final StoredChunks stored;
    private final StoreRuns runs;

    StoreRunsTest() throws IOException {
        stored = new StoredChunks(1, FRAMES);
        runs = new StoreRuns(new ChunkReader(stored.repository()), StoredChunks.SIZE);
    }

    /** Readers come while a run is decoded: who waits is another one each time that it is asked. */
    private static final class Impatient implements StoreRuns.Receiver {

        private final Set<ChunkAddress> asked = new HashSet<>();
        private final List<ChunkAddress> landed = new ArrayList<>();
        private int questions;

        @Override
        public void landed(FrameLocation frame, byte[] chunk, byte[] frames, int offset) {
            landed.add(frame.address());
        }

        @Override
        public boolean isAwaited(ChunkAddress address) {
            asked.add(address);
            // Whatever order a sort has found by now, the next answer contradicts it.
            return questions++ % 3 == 0;
        }

        @Override
        public void crashed(ChunkAddress address, Exception failure) {
            throw new AssertionError(address + " has come", failure);
        }
    }

    @Test
    void whoBeginsToWaitMeanwhileSpoilsNothing() throws IOException {
        FrameRun run = new FrameRun(IntStream.range(0, FRAMES).mapToObj(i -> runs.locate(stored.address(0, i))).toList());
        byte[] frames = new byte[FrameRun.LONGEST];
        runs.request(run, frames);
        Impatient receiver = new Impatient();
        runs.land(run, frames, receiver);
        assertEquals(FRAMES, receiver.questions);
        assertEquals(receiver.asked, new HashSet<>(receiver.landed));
        assertEquals(FRAMES, receiver.landed.size());
        assertEquals(stored.address(0, 3), receiver.landed.get(1));
    }
}
