package io.afterimage.fetch;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.afterimage.repository.FrameRun;
import org.junit.jupiter.api.Test;

final class FrameBuffersTest {

    private static final int LARGE = FrameRun.LONGEST - 1000;

    private final FrameBuffers buffers = new FrameBuffers(2L * FrameRun.LONGEST);

    @Test
    void whatWasGivenBackIsTakenAgainAndByOneAlone() {
        byte[] first = buffers.take(LARGE);
        buffers.giveBack(first);
        assertSame(first, buffers.take(LARGE + 500));
        assertNotSame(first, buffers.take(LARGE));
    }

    @Test
    void noMoreLieIdleThanWereAllowed() {
        byte[][] taken = {buffers.take(LARGE), buffers.take(LARGE), buffers.take(LARGE)};
        for (byte[] buffer : taken) {
            buffers.giveBack(buffer);
        }
        assertSame(taken[1], buffers.take(LARGE));
        assertSame(taken[0], buffers.take(LARGE));
        assertNotSame(taken[2], buffers.take(LARGE));
    }

    @Test
    void aSmallRequestTakesNoMoreThanItNeeds() {
        byte[] small = buffers.take(5000);
        assertEquals(5000, small.length);
        buffers.giveBack(small);
        assertNotSame(small, buffers.take(5000));
    }

    @Test
    void roomIsWhatIsTakenUp() {
        for (int length : new int[] {1, FrameRun.LONGEST / 2, FrameRun.LONGEST / 2 + 1, LARGE, FrameRun.LONGEST, FrameRun.LONGEST + 7}) {
            assertEquals(FrameBuffers.room(length), buffers.take(length).length);
            assertTrue(FrameBuffers.room(length) >= length);
        }
    }
}
