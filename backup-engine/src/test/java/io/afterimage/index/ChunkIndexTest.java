package io.afterimage.index;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.afterimage.chunk.ChunkAddress;
import io.afterimage.chunk.ChunkId;
import io.afterimage.chunk.PackId;
import io.afterimage.pack.PackEntry;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What becomes of the index on a host whose disk is full, or has given back other bytes than were written. */
class ChunkIndexTest {

    private static final PackId FIRST = new PackId(1, 2);
    private static final PackId SECOND = new PackId(3, 4);

    @TempDir
    private Path temporary;

    private Path folder;

    @BeforeEach
    void choose() {
        folder = temporary.resolve("index");
    }

    /** @param count the ids are those of the numbers from {@code from} on */
    private static List<PackEntry> entries(PackId pack, int from, int count) {
        return IntStream.range(from, from + count).mapToObj(i -> new PackEntry(id(i), new ChunkAddress(pack, 1 + i - from, 1))).toList();
    }

    private static ChunkId id(long number) {
        return new ChunkId(number * 0x9E3779B97F4A7C15L, number, 0, 0);
    }

    @Test
    void whatWasAddedIsFoundAgain() throws IOException {
        try (ChunkIndex index = ChunkIndex.open(folder)) {
            index.add(FIRST, entries(FIRST, 0, 30_000));
            index.add(SECOND, entries(SECOND, 30_000, 30_000));
        }
        try (ChunkIndex index = ChunkIndex.open(folder)) {
            assertTrue(index.knows(FIRST) && index.knows(SECOND));
            assertEquals(new ChunkAddress(FIRST, 1, 1), index.find(id(0)));
            assertEquals(new ChunkAddress(SECOND, 30_000, 1), index.find(id(59_999)));
            assertNull(index.find(id(60_000)));
        }
    }

    @Test
    void whereNothingCanBeWrittenThereIsATemporaryOne() throws IOException {
        Files.writeString(folder, "a file where the folder should be");
        try (ChunkIndex index = ChunkIndex.open(folder)) {
            index.add(FIRST, entries(FIRST, 0, 10));
            assertEquals(new ChunkAddress(FIRST, 10, 1), index.find(id(9)));
        }
    }

    @Test
    void whenTheHostTakesNoMoreWhatIsThereGoesOnBeingFound() throws IOException {
        try (ChunkIndex index = ChunkIndex.open(folder)) {
            index.add(FIRST, entries(FIRST, 0, 30_000));
            // In the way of the larger table.
            Files.createDirectories(folder.resolve("chunks.new/x"));
            index.add(SECOND, entries(SECOND, 30_000, 30_000));
            assertFalse(index.knows(SECOND));
            assertEquals(new ChunkAddress(FIRST, 1, 1), index.find(id(0)));
            assertNull(index.find(id(30_000)));
        }
        Files.delete(folder.resolve("chunks.new/x"));
        try (ChunkIndex index = ChunkIndex.open(folder)) {
            index.add(SECOND, entries(SECOND, 30_000, 30_000));
            assertEquals(new ChunkAddress(SECOND, 1, 1), index.find(id(30_000)));
        }
    }

    @Test
    void whoIsBrokenOffWhileAddingSpoilsNothing() throws IOException {
        try (ChunkIndex index = ChunkIndex.open(folder)) {
            index.add(FIRST, entries(FIRST, 0, 10));
            Thread.currentThread().interrupt();
            index.add(SECOND, entries(SECOND, 10, 10));
            assertTrue(Thread.interrupted());
            assertFalse(index.knows(SECOND));
            assertEquals(new ChunkAddress(FIRST, 10, 1), index.find(id(9)));
        }
        try (ChunkIndex index = ChunkIndex.open(folder)) {
            assertTrue(index.knows(FIRST));
            assertNull(index.find(id(10)));
            PackId third = new PackId(5, 6);
            index.add(third, entries(third, 20, 10));
            // Where the pack stands that was never noted.
            assertNull(index.find(id(10)));
            assertEquals(new ChunkAddress(third, 1, 1), index.find(id(20)));
        }
    }

    /** A table without an empty slot would be searched for ever. */
    @Test
    void nonsenseIsNoTable() throws IOException {
        try (ChunkIndex index = ChunkIndex.open(folder)) {
            index.add(FIRST, entries(FIRST, 0, 10));
        }
        byte[] nonsense = new byte[48 << 16];
        Arrays.fill(nonsense, (byte) 0x55);
        Files.write(folder.resolve("chunks"), nonsense);
        try (ChunkIndex index = ChunkIndex.open(folder)) {
            assertNull(index.find(id(1)));
            assertFalse(index.knows(FIRST));
            index.add(FIRST, entries(FIRST, 0, 10));
            assertEquals(new ChunkAddress(FIRST, 10, 1), index.find(id(9)));
        }
    }
}
