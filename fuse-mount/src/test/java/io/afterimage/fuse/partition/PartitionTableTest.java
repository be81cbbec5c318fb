package io.afterimage.fuse.partition;

import static io.afterimage.fuse.partition.TableWriter.EXTENDED;
import static io.afterimage.fuse.partition.TableWriter.LINUX;
import static io.afterimage.fuse.partition.TableWriter.PROTECTIVE;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.afterimage.block.ByteRange;
import io.afterimage.block.MemoryDevice;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Tables as tools write them, damaged ones, and such as nobody would write who meant well. */
class PartitionTableTest {

    private static final long SECTORS = 10_000;

    private final TableWriter table = new TableWriter(SECTORS, 512);

    private static Partition partition(int number, long first, long sectors, int sectorSize) {
        return new Partition(number, new ByteRange(first * sectorSize, sectors * sectorSize));
    }

    private void assertFound(Partition... expected) throws IOException {
        assertEquals(List.of(expected), PartitionTable.read(table.disk));
    }

    @ParameterizedTest
    @ValueSource(ints = {512, 4096})
    void aGptWithAGap(int sectorSize) throws IOException {
        TableWriter gpt = new TableWriter(SECTORS, sectorSize).gpt(100, 199, 0, 0, 200, 299);
        assertEquals(
                List.of(partition(1, 100, 100, sectorSize), partition(3, 200, 100, sectorSize)), PartitionTable.read(gpt.disk));
    }

    @Test
    void theBackupServesForADamagedHeader() throws IOException {
        table.gpt(100, 199).spoil(1, 57);
        assertFound(partition(1, 100, 100, 512));
    }

    @Test
    void theBackupServesForDamagedEntries() throws IOException {
        table.gpt(100, 199).spoil(2, 34);
        assertFound(partition(1, 100, 100, 512));
    }

    @Test
    void aBackupThatIsNotAtTheEndIsFoundByTheHeader() throws IOException {
        table.gptAt(1, 6000, 2, 100, 199).gptAt(6000, 1, 5900, 100, 199).entry(0, 0, PROTECTIVE, 1, 6000).spoil(2, 34);
        assertFound(partition(1, 100, 100, 512));
    }

    @Test
    void withoutEitherTableThereAreNone() throws IOException {
        table.gpt(100, 199).spoil(1, 57);
        table.spoil(SECTORS - 1, 57);
        assertFound();
    }

    @Test
    void aHeaderThatIsAtHomeElsewhereIsNone() throws IOException {
        table.entry(0, 0, PROTECTIVE, 1, SECTORS - 1).gptAt(2000, 1, 2001, 100, 199);
        byte[] header = new byte[92];
        table.disk.read(2000 * 512, ByteBuffer.wrap(header));
        table.write(1, 0, header);
        assertFound();
    }

    @Test
    void aGptThatAnMbrHasReplacedIsPassedOver() throws IOException {
        table.gpt(100, 199).entry(0, 0, LINUX, 64, 1000);
        assertFound(partition(1, 64, 1000, 512));
    }

    @Test
    void whatIsOutsideIsCutOrLeftOut() throws IOException {
        table.gpt(100, SECTORS + 5, SECTORS, SECTORS + 5, 300, 200, -5, -1, 400, Long.MAX_VALUE, 0, 10);
        assertFound(partition(1, 100, SECTORS - 100, 512), partition(5, 400, SECTORS - 400, 512));
    }

    @Test
    void moreEntriesThanAnybodyNeedsAreNoTable() throws IOException {
        table.entry(0, 0, PROTECTIVE, 1, SECTORS - 1).header(1, SECTORS - 1, 2, -1, 128, 0);
        assertFound();
        table.header(1, SECTORS - 1, 2, 1, 0x40000000, 0);
        assertFound();
        table.header(1, SECTORS - 1, 2, 0, 128, 0);
        assertFound();
    }

    @Test
    void primaryPartitions() throws IOException {
        table.entry(0, 0, LINUX, 64, 1000).entry(0, 2, 7, 2000, 500).entry(0, 3, LINUX, SECTORS - 10, 100);
        assertFound(partition(1, 64, 1000, 512), partition(3, 2000, 500, 512), partition(4, SECTORS - 10, 10, 512));
    }

    @Test
    void logicalPartitionsInTheOrderOfTheirChain() throws IOException {
        table.entry(0, 0, LINUX, 64, 100).entry(0, 1, EXTENDED, 1000, 5000);
        table.entry(1000, 0, LINUX, 10, 90).entry(1000, 1, EXTENDED, 2000, 500);
        table.entry(3000, 0, LINUX, 10, 50).entry(3000, 1, EXTENDED, 1000, 500);
        table.entry(2000, 0, LINUX, 10, 60);
        assertFound(
                partition(1, 64, 100, 512), partition(5, 1010, 90, 512), partition(6, 3010, 50, 512), partition(7, 2010, 60, 512));
    }

    @Test
    void aChainThatBitesItsTailEnds() throws IOException {
        table.entry(0, 0, EXTENDED, 1000, 5000);
        table.entry(1000, 0, LINUX, 10, 90).entry(1000, 1, EXTENDED, 2000, 500);
        table.entry(3000, 0, LINUX, 10, 50).entry(3000, 1, EXTENDED, 2000, 500);
        assertFound(partition(5, 1010, 90, 512), partition(6, 3010, 50, 512));
    }

    @Test
    void aChainThatLeavesItsFrameOrTheDiskEnds() throws IOException {
        table.entry(0, 0, EXTENDED, 1000, 5000).entry(0, 1, EXTENDED, 9000, 0xFFFF_FFFFL);
        table.entry(1000, 0, LINUX, 10, 90).entry(1000, 1, EXTENDED, 7000, 500);
        table.entry(8000, 0, LINUX, 10, 90);
        table.entry(9000, 0, LINUX, 10, 90).entry(9000, 1, EXTENDED, 0xFFFF_0000L, 500);
        assertFound(partition(5, 1010, 90, 512), partition(6, 9010, 90, 512));
    }

    @Test
    void aChainWithoutEndIsGivenUp() throws IOException {
        TableWriter chain = new TableWriter(5000, 512);
        chain.entry(0, 0, EXTENDED, 1, 4999);
        for (int sector = 1; sector < 4998; sector++) {
            chain.entry(sector, 0, LINUX, 1, 1).entry(sector, 1, EXTENDED, sector, 1);
        }
        assertTrue(PartitionTable.read(chain.disk).size() <= PartitionTable.MOST_PARTITIONS);
    }

    @Test
    void sectorsOf4096BytesAreSeenByWhatLiesThere() throws IOException {
        TableWriter large = new TableWriter(SECTORS, 4096);
        large.entry(0, 0, LINUX, 256, 1000).entry(0, 1, EXTENDED, 2000, 5000).entry(2000, 0, LINUX, 8, 100).ext4(256);
        assertEquals(List.of(partition(1, 256, 1000, 4096), partition(5, 2008, 100, 4096)), PartitionTable.read(large.disk));
    }

    @Test
    void aFileSystemsBootSectorIsNoTable() throws IOException {
        byte[] program = new byte[64];
        Arrays.fill(program, (byte) 'x');
        table.record(0).write(0, 446, program);
        assertFound();
    }

    @ParameterizedTest
    @ValueSource(longs = {0, 1, 511, 512, 1000, 4095})
    void tinyAndEmptyDisksHaveNone(long size) throws IOException {
        assertEquals(List.of(), PartitionTable.read(new MemoryDevice(size)));
    }
}
