package io.afterimage.fetch;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.afterimage.fetch.ReadAhead.Span;
import io.afterimage.repository.FrameRun;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

/** Reads of a disk of 64 KiB chunks; looked at is which chunks had been told before they were read. */
final class ReadAheadTest {

    private static final int CHUNK = 64 << 10;
    private static final long DISK = 100_000L * CHUNK;
    private static final int MOST = 128;

    private final HitRate rate = new HitRate(64, MOST);
    private final ReadAhead streams = new ReadAhead(DISK, CHUNK, rate);
    private final Set<Long> told = new TreeSet<>();
    private int twice;

    /** Tells whether all of it had been told before. */
    private boolean read(long begin, int length) {
        boolean known = true;
        for (long chunk = begin / CHUNK; chunk * CHUNK < begin + length; chunk++) {
            known &= told.contains(chunk);
            if (told.contains(chunk)) {
                rate.used();
            }
        }
        for (Span span : streams.read(begin, begin + length)) {
            assertEquals(0, span.begin() % CHUNK);
            assertTrue(span.begin() >= 0 && span.begin() < span.end() && span.end() <= DISK);
            for (long chunk = span.begin() / CHUNK; chunk * CHUNK < span.end(); chunk++) {
                twice += told.add(chunk) ? 0 : 1;
            }
        }
        return known;
    }

    @Test
    void aSequentialReaderSoonFindsEverythingTold() {
        int unknown = 0;
        for (int i = 0; i < 4000; i++) {
            unknown += read(i * 16384L, 16384) ? 0 : 1;
        }
        assertTrue(unknown <= 8, unknown + " reads of 4000 came before they were guessed");
        assertEquals(0, twice);
        long last = ((TreeSet<Long>) told).last();
        assertTrue(last <= 4000 * 16384L / CHUNK + MOST, "no further ahead than the window");
        assertTrue(last >= 4000 * 16384L / CHUNK + MOST / 2 - 1, "the window has grown: " + last);
    }

    @Test
    void smallUnalignedReadsOneAtATimeAreAStreamToo() {
        int unknown = 0;
        for (int i = 0; i < 10_000; i++) {
            unknown += read(63 + i * 512L, 512) ? 0 : 1;
        }
        assertTrue(unknown <= 300, unknown + " reads of 10,000, 128 to a chunk");
        assertEquals(0, twice);
    }

    @Test
    void stepsAreFollowedForwardsAndBackwards() {
        for (long step : new long[] {1_000_000, 3L * CHUNK + 512, -1_000_000}) {
            told.clear();
            int unknown = 0;
            for (int i = 0; i < 500; i++) {
                unknown += read(3_000_000_000L + i * step, 4096) ? 0 : 1;
            }
            assertTrue(unknown <= 5, unknown + " reads of 500 by " + step);
            assertTrue(told.size() < 2 * (500 + MOST) + 10, "only what a step leads to: " + told.size());
        }
    }

    @Test
    void aBackwardsReaderIsFollowed() {
        int unknown = 0;
        for (int i = 0; i < 1000; i++) {
            unknown += read(4_000_000_000L - i * (long) CHUNK, CHUNK) ? 0 : 1;
        }
        assertTrue(unknown <= 5, unknown + " reads of 1000");
    }

    @Test
    void interleavedStreamsAreToldApart() {
        Random random = new Random(5);
        long[] at = new long[8];
        for (int stream = 0; stream < at.length; stream++) {
            at[stream] = stream * 500_000_000L;
        }
        int unknown = 0;
        for (int i = 0; i < 8000; i++) {
            int stream = random.nextInt(at.length);
            unknown += read(at[stream], 32768) ? 0 : 1;
            at[stream] += stream % 2 == 0 ? 32768 : 700_000;
        }
        assertTrue(unknown <= 8 * 8, unknown + " reads of 8000");
    }

    /** A deep queue: each read comes at any of eight places. */
    @Test
    void readsThatOvertakeEachOtherAreOneStream() {
        Random random = new Random(6);
        int unknown = 0;
        for (int i = 0; i < 1000; i += 8) {
            List<Integer> batch = new ArrayList<>();
            for (int j = i; j < i + 8; j++) {
                batch.add(j);
            }
            Collections.shuffle(batch, random);
            for (int j : batch) {
                unknown += read(j * 131072L, 131072) ? 0 : 1;
            }
        }
        assertTrue(unknown <= 24, unknown + " reads of 1000");
    }

    @Test
    void randomReadsAreHardlyGuessed() {
        Random random = new Random(7);
        for (int i = 0; i < 5000; i++) {
            read(random.nextLong(DISK / 4096 - 1) * 4096, 4096);
        }
        assertTrue(told.size() < 500, told.size() + " chunks for 5000 random reads");
    }

    @Test
    void theWindowShrinksWhereGuessesAreWrong() {
        Random random = new Random(8);
        // Runs of three reads that then stop: they look like streams and are none.
        for (int i = 0; i < 2000; i++) {
            long begin = random.nextLong(DISK / CHUNK - 10) * CHUNK;
            for (int j = 0; j < 3; j++) {
                read(begin + j * 4096L, 4096);
            }
        }
        assertTrue(rate.width() <= 2, "a width of " + rate.width());
        int unknown = 0;
        for (int i = 0; i < 4000; i++) {
            unknown += read(5_000_000_000L + i * 65536L, 65536) ? 0 : 1;
        }
        assertTrue(rate.width() >= MOST / 2, "and has grown again to " + rate.width());
        assertTrue(unknown < 400, unknown + " reads of 4000");
    }

    /** What comes at once is read at once, while nothing comes: a stream that is far ahead asks for a request's worth at a time. */
    @Test
    void aWideWindowIsFilledByOneRequestAfterTheOther() {
        HitRate wide = new HitRate(512, 512);
        ReadAhead reader = new ReadAhead(DISK, CHUNK, wide);
        long guessed = 0;
        for (int i = 0; i < 4000; i++) {
            for (Span span : reader.read((long) i * CHUNK, (i + 1L) * CHUNK)) {
                assertTrue(i < 1200 || span.end() - span.begin() <= FrameRun.LONGEST, "at " + i + " " + span);
                guessed = span.end() / CHUNK;
                // All of it will be read.
                for (long at = span.begin(); at < span.end(); at += CHUNK) {
                    wide.used();
                }
            }
            assertTrue(i < 1200 || guessed - i >= 512 - FrameRun.LONGEST / CHUNK, "at " + i + " no more is told than up to " + guessed);
        }
    }

    @Test
    void theEndOfTheDiskIsTheEnd() {
        for (long at = DISK - 20 * CHUNK; at < DISK; at += CHUNK) {
            read(at, CHUNK);
        }
        assertEquals(List.of(), streams.read(DISK - CHUNK, DISK));
    }
}
