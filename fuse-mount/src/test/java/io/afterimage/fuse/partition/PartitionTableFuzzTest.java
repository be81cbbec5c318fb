package io.afterimage.fuse.partition;

import static io.afterimage.fuse.partition.TableWriter.EXTENDED;
import static io.afterimage.fuse.partition.TableWriter.LINUX;
import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.afterimage.block.BlockDevice;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.List;
import java.util.Random;
import java.util.random.RandomGenerator;
import org.junit.jupiter.api.Test;

/** Almost lawful tables. Runs for {@code -Dafterimage.fuzz.seconds}; a failure names its seed, {@code -Dafterimage.fuzz.seed} begins there. */
class PartitionTableFuzzTest {

    private static final int SECTORS = 4000;
    private static final int MOST_READS = 2000;
    private static final long SECONDS = Long.getLong("afterimage.fuzz.seconds", 1);

    /** Counts what is asked of a disk. */
    private static final class CountedDisk implements BlockDevice {

        private final BlockDevice disk;
        private int reads;

        CountedDisk(BlockDevice disk) {
            this.disk = disk;
        }

        @Override
        public long size() {
            return disk.size();
        }

        @Override
        public void read(long offset, ByteBuffer target) throws IOException {
            reads++;
            disk.read(offset, target);
        }

        @Override
        public void close() {
            // Its bytes are in memory.
        }
    }

    @Test
    void whateverATableSaysOnlyRangesOfTheDiskComeOut() {
        long seed = Long.getLong("afterimage.fuzz.seed", 1);
        long end = System.nanoTime() + Duration.ofSeconds(SECONDS).toNanos();
        do {
            check(seed++);
        } while (System.nanoTime() - end < 0);
    }

    private static void check(long seed) {
        TableWriter table = table(new Random(seed));
        CountedDisk disk = new CountedDisk(table.disk);
        List<Partition> partitions = assertDoesNotThrow(() -> PartitionTable.read(disk), () -> "seed " + seed);
        assertTrue(partitions.size() <= PartitionTable.MOST_PARTITIONS, () -> "seed " + seed);
        assertTrue(disk.reads <= MOST_READS, () -> "seed " + seed + ": " + disk.reads + " reads");
        for (Partition partition : partitions) {
            assertTrue(partition.number() > 0 && !partition.range().isEmpty() && partition.range().end() <= disk.size(), () -> "seed " + seed);
        }
        assertTrue(partitions.stream().mapToInt(Partition::number).distinct().count() == partitions.size(), () -> "seed " + seed);
    }

    private static TableWriter table(RandomGenerator dice) {
        TableWriter table = new TableWriter(SECTORS, dice.nextBoolean() ? 512 : 4096);
        switch (dice.nextInt(3)) {
            case 0 -> table.gpt(number(dice), number(dice), number(dice), number(dice));
            case 1 -> {
                table.gpt(100, 200, 300, 400);
                for (int count = dice.nextInt(4); count > 0; count--) {
                    table.spoil(dice.nextBoolean() ? dice.nextInt(3) : SECTORS - 1, dice.nextInt(512));
                }
            }
            default -> {
                for (int count = dice.nextInt(100); count > 0; count--) {
                    long sector = count % 3 == 0 ? 0 : dice.nextInt(SECTORS);
                    table.entry(sector, dice.nextInt(4), dice.nextBoolean() ? EXTENDED : LINUX, number(dice), number(dice));
                }
            }
        }
        return table;
    }

    /** Mostly within the disk, sometimes at an edge of what fits. */
    private static long number(RandomGenerator dice) {
        return switch (dice.nextInt(8)) {
            case 0 -> dice.nextLong();
            case 1 -> Long.MAX_VALUE - dice.nextInt(2);
            case 2 -> -dice.nextInt(3);
            case 3 -> SECTORS + dice.nextInt(3) - 1;
            default -> dice.nextInt(SECTORS);
        };
    }
}
