package io.afterimage.boot;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.afterimage.block.ByteRange;
import io.afterimage.manifest.PointId;
import io.afterimage.profile.BootProfile;
import io.afterimage.profile.BootProfile.Read;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Chunks of 64 KiB on a disk of 1 GiB and a sector. */
class ReplayTest {

    private static final int CHUNK = 65536;
    private static final long SIZE = (1L << 30) + 512;
    private static final long MIB = 1 << 20;

    private static BootProfile profile(Read... reads) {
        return new BootProfile(new PointId("0123456789abcdef0123456789abcdef"), Instant.EPOCH, true, List.of(reads));
    }

    /** Every fourth chunk from a place on. */
    private static BootProfile scattered(long from, int count) {
        List<Read> reads = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            reads.add(new Read(from + 4L * i * CHUNK + 4096, 8192, i));
        }
        return profile(reads.toArray(Read[]::new));
    }

    private static long bytes(List<ByteRange> ranges) {
        return ranges.stream().mapToLong(ByteRange::length).sum();
    }

    /** All that it would have now. */
    private static long drain(Replay replay) {
        long bytes = 0;
        while (replay.wantsMore()) {
            bytes += bytes(replay.next());
        }
        return bytes;
    }

    @Test
    void neighboursComeTogetherAndOnlyOnce() {
        BootProfile profile = profile(
                new Read(5 * CHUNK, 4096, 0), new Read(0, 4096, 1), new Read(4 * CHUNK + 8192, 4096, 2), new Read(5 * CHUNK + 4096, CHUNK, 3));
        Replay replay = new Replay(profile, SIZE, CHUNK, MIB);
        assertEquals(List.of(new ByteRange(0, CHUNK), new ByteRange(4 * CHUNK, 3 * CHUNK)), replay.next());
        assertEquals(List.of(), replay.next());
        assertFalse(replay.wantsMore());
    }

    @Test
    void whatLiesBehindTheDiskIsPassedOver() {
        BootProfile profile = profile(new Read(1L << 40, 1 << 20, 0), new Read(1L << 61, 4096, 0), new Read((1L << 30) - CHUNK, 4 * CHUNK, 1));
        Replay replay = new Replay(profile, SIZE, CHUNK, MIB);
        assertEquals(List.of(new ByteRange((1L << 30) - CHUNK, CHUNK + 512)), replay.next());
        assertEquals(List.of(), replay.next());
    }

    @Test
    void aProfileThatFitsIsFetchedFasterThanItIsRead() {
        int count = 2000;
        Replay replay = new Replay(scattered(0, count), SIZE, CHUNK, MIB);
        assertEquals(MIB, drain(replay));
        long fetched = MIB;
        for (int i = 0; i < count; i++) {
            assertTrue(fetched > (long) i * CHUNK, "chunk " + i + " was fetched before it is read");
            replay.saw(4L * i * CHUNK + 4096, 4096);
            replay.saw(4L * i * CHUNK + 8192, 4096);
            fetched += drain(replay);
            assertTrue(fetched - (long) (i + 1) * CHUNK <= 64 * MIB, "no further ahead than memory allows");
        }
        assertEquals((long) count * CHUNK, fetched);
        assertEquals(100, replay.usedPercent());
        assertEquals(0, replay.missed());
        assertFalse(replay.isPoor());
    }

    @Test
    void aProfileThatDoesNotFitCostsTheAdvance() {
        Replay replay = new Replay(scattered(0, 2000), SIZE, CHUNK, MIB);
        long fetched = drain(replay);
        for (int i = 0; i < 500; i++) {
            replay.saw(700 * MIB + (long) i * CHUNK, CHUNK);
            fetched += drain(replay);
        }
        assertEquals(MIB, fetched);
        assertTrue(replay.isPoor());
        assertEquals(0, replay.usedPercent());
    }

    @Test
    void aProfileThatCeasesToFitIsGivenUp() {
        Replay replay = new Replay(scattered(0, 2000), SIZE, CHUNK, 16 * MIB);
        drain(replay);
        for (int i = 0; i < 10; i++) {
            replay.saw(4L * i * CHUNK + 4096, 4096);
            drain(replay);
        }
        assertFalse(replay.isPoor());
        replay.saw(600 * MIB, 5 * MIB);
        assertTrue(replay.isPoor());
        assertFalse(replay.wantsMore());
        assertEquals(List.of(), replay.next());
    }

    @Test
    void whatTheBootHasReadItselfIsNotFetchedAhead() {
        Replay replay = new Replay(scattered(0, 64), SIZE, CHUNK, MIB);
        for (int i = 0; i < 32; i++) {
            replay.saw(4L * i * CHUNK, CHUNK);
        }
        assertEquals(new ByteRange(4L * 32 * CHUNK, CHUNK), replay.next().getFirst());
    }

    @Test
    void chunksLargerThanTheAdvanceAreFetchedToo() {
        Replay replay = new Replay(scattered(0, 2000), SIZE, 4 << 20, MIB);
        assertEquals(List.of(new ByteRange(0, 4 << 20)), replay.next());
    }
}
