package io.afterimage.boot;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.afterimage.profile.BootProfile;
import io.afterimage.profile.BootProfile.Read;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class RecordingTest {

    private static final int BLOCK = BootProfile.BLOCK;

    private final Recording recording = new Recording();

    @Test
    void readsOfSectorsOneBehindTheOtherAreOneReadOfTheirBlocks() {
        for (int sector = 0; sector < 24; sector++) {
            recording.add(512L * (sector + 2), 512, sector);
        }
        assertEquals(List.of(new Read(0, 4 * BLOCK, 0)), recording.firstTouches());
        assertTrue(recording.showsFirmware());
    }

    @Test
    void whatIsReadAgainCountsOnce() {
        recording.add(10L * BLOCK, 4 * BLOCK, 1);
        recording.add(0, BLOCK, 2);
        recording.add(9L * BLOCK, 8 * BLOCK, 3);
        recording.add(11L * BLOCK, BLOCK, 4);
        assertEquals(
                List.of(new Read(10 * BLOCK, 4 * BLOCK, 1), new Read(0, BLOCK, 2), new Read(9 * BLOCK, BLOCK, 3), new Read(14 * BLOCK, 3 * BLOCK, 3)),
                recording.firstTouches());
        assertFalse(recording.showsFirmware());
    }

    @Test
    void anyReadsLeaveEachBlockOnceInTheOrderOfFirstTouches() {
        for (int seed = 0; seed < 200; seed++) {
            Random random = new Random(seed);
            Recording any = new Recording();
            BitSet touched = new BitSet();
            List<Integer> order = new ArrayList<>();
            for (int i = 0; i < 60; i++) {
                int offset = random.nextInt(200 * BLOCK);
                int length = 1 + random.nextInt(20 * BLOCK);
                any.add(offset, length, i);
                for (int block = offset / BLOCK; block * BLOCK < offset + length; block++) {
                    if (!touched.get(block)) {
                        touched.set(block);
                        order.add(block);
                    }
                }
            }
            List<Integer> found = new ArrayList<>();
            for (Read read : any.firstTouches()) {
                for (long at = read.offset(); at < read.end(); at += BLOCK) {
                    found.add((int) (at / BLOCK));
                }
            }
            assertEquals(order, found, "seed " + seed);
        }
    }

    @Test
    void itEndsWithWhatAProfileMayHave() {
        int count = 0;
        for (; !recording.isFull(); count++) {
            recording.add(2L * count * BLOCK, BLOCK, count);
        }
        assertEquals(BootProfile.MOST_READS, count);
        assertEquals(BootProfile.MOST_READS, recording.firstTouches().size());
        Recording large = new Recording();
        for (int i = 0; !large.isFull(); i++) {
            large.add((33L << 20) * i, 32 << 20, i);
        }
        assertTrue(large.firstTouches().stream().mapToLong(Read::length).sum() <= BootProfile.MOST_BYTES);
    }
}
