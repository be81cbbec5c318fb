package io.afterimage.cache;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.afterimage.chunk.ChunkAddress;
import io.afterimage.chunk.PackId;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.InstantSource;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
final class DiskTierTest {

    private static final String REPOSITORY = "00112233445566778899aabbccddeeff";
    private static final String OTHER = "10112233445566778899aabbccddeeff";
    private static final long LIMIT = 4 << 20;

    @TempDir
    private Path parent;

    private Path folder() {
        return parent.resolve("frames");
    }

    private DiskTier open() {
        return DiskTier.open(folder(), LIMIT, REPOSITORY, InstantSource.system()).orElseThrow();
    }

    private static ChunkAddress place(int number) {
        return new ChunkAddress(new PackId(number / 100, 1), 1 + number % 100, 0);
    }

    private static byte[] frame(int number) {
        byte[] frame = new byte[1000 + number % 7000];
        new Random(number).nextBytes(frame);
        return frame;
    }

    private static void put(DiskTier tier, int from, int to) {
        long before = tier.statistics().stored();
        for (int i = from; i < to; i++) {
            byte[] frame = frame(i);
            ByteBuffer among = ByteBuffer.allocate(frame.length + 20).put(10, frame);
            tier.put(place(i), among.array(), 10, frame.length);
        }
        while (tier.statistics().stored() < before + to - from) {
            Thread.onSpinWait();
        }
    }

    private static boolean isHere(DiskTier tier, int number) {
        byte[] frame = tier.read(place(number), frame(number).length);
        if (frame != null) {
            assertArrayEquals(frame(number), frame);
        }
        return frame != null;
    }

    private static int here(DiskTier tier, int from, int to) {
        int count = 0;
        for (int i = from; i < to; i++) {
            count += isHere(tier, i) ? 1 : 0;
        }
        return count;
    }

    private List<Path> files() throws IOException {
        try (Stream<Path> files = Files.list(folder())) {
            return files.sorted().toList();
        }
    }

    private long bytes() throws IOException {
        long bytes = 0;
        for (Path file : files()) {
            bytes += Files.size(file);
        }
        return bytes;
    }

    @Test
    void whatWasWrittenIsThereAfterARestart() {
        try (DiskTier tier = open()) {
            put(tier, 0, 200);
            assertEquals(200, here(tier, 0, 200));
            assertFalse(tier.contains(place(200)));
            assertNull(tier.read(place(200), 1000));
        }
        try (DiskTier tier = open()) {
            assertEquals(200, here(tier, 0, 200));
            assertEquals(200, tier.statistics().hits());
            assertEquals(0, tier.statistics().damaged());
        }
    }

    /** The first has not ended, so its file has no index: that is what a killed process leaves, and what another sees of a living one. */
    @Test
    void processesShareWhatEachHasWritten() throws IOException {
        try (DiskTier first = open()) {
            put(first, 0, 100);
            try (DiskTier second = open()) {
                assertEquals(100, here(second, 0, 100));
                put(second, 100, 150);
                put(first, 200, 220);
                first.look();
                second.look();
                assertEquals(50, here(first, 100, 150));
                assertEquals(20, here(second, 200, 220));
                put(second, 0, 0);
            }
            assertEquals(50, here(first, 100, 150));
        }
    }

    @Test
    void ofTheSameFrameOneCopyIsEnough() {
        try (DiskTier tier = open()) {
            put(tier, 0, 10);
            long bytes = tier.statistics().bytes();
            tier.put(place(3), frame(3), 0, frame(3).length);
            put(tier, 10, 11);
            assertEquals(11, tier.statistics().stored());
            assertTrue(tier.statistics().bytes() < bytes + 3000);
        }
    }

    @Test
    void repositoriesOfAHostDoNotSeeEachOthersFrames() {
        try (DiskTier tier = open();
                DiskTier other = DiskTier.open(folder(), LIMIT, OTHER, InstantSource.system()).orElseThrow()) {
            put(tier, 0, 10);
            assertEquals(0, here(other, 0, 10));
            put(other, 20, 30);
            assertEquals(0, here(tier, 20, 30));
        }
        try (DiskTier other = DiskTier.open(folder(), LIMIT, OTHER, InstantSource.system()).orElseThrow()) {
            assertEquals(0, here(other, 0, 10));
            assertEquals(10, here(other, 20, 30));
        }
    }

    @Test
    void itStaysWithinItsLimitAndKeepsWhatIsRead() throws IOException {
        try (DiskTier tier = open()) {
            put(tier, 0, 100);
            for (int from = 100; from < 5000; from += 50) {
                put(tier, from, from + 50);
                assertTrue(bytes() <= LIMIT, bytes() + " bytes");
                assertEquals(20, here(tier, 0, 20), "what is read again and again, at " + from);
            }
            assertTrue(bytes() > LIMIT / 2);
            assertEquals(0, here(tier, 20, 100));
            assertEquals(50, here(tier, 4950, 5000));
        }
        try (DiskTier tier = open()) {
            assertEquals(20, here(tier, 0, 20));
            assertEquals(50, here(tier, 4950, 5000));
        }
    }

    /** Truncation, zeros, other bytes, foreign files: whatever is done to the files, frames are there as they were or are not there, and the tier goes on. */
    @Test
    void damageIsAMiss() throws IOException {
        Random random = new Random(1);
        try (DiskTier tier = open()) {
            put(tier, 0, 300);
        }
        for (int round = 0; round < 60; round++) {
            for (Path file : files()) {
                damage(file, random);
            }
            try (DiskTier tier = open()) {
                int there = 0;
                for (int i = 0; i < 300; i++) {
                    there += tier.read(place(i), frame(i).length) != null ? 1 : 0;
                }
                if (there < 200) {
                    for (int i = 0; i < 300; i++) {
                        tier.forget(place(i));
                    }
                    put(tier, 0, 300);
                    assertEquals(300, here(tier, 0, 300));
                }
            }
        }
    }

    private static void damage(Path file, Random random) throws IOException {
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
            long size = channel.size();
            switch (random.nextInt(8)) {
                case 0 -> channel.truncate(random.nextLong(size + 1));
                case 1 -> channel.write(ByteBuffer.allocate(4096), random.nextLong(size + 1));
                case 2 -> {
                    byte[] garbage = new byte[random.nextInt(100_000)];
                    random.nextBytes(garbage);
                    channel.write(ByteBuffer.wrap(garbage), size);
                }
                case 3 -> channel.write(ByteBuffer.wrap(new byte[] {(byte) random.nextInt()}), random.nextLong(Math.max(1, size)));
                default -> {
                    // Left as it is: the others shall be found through it.
                }
            }
        }
    }

    @Test
    void aFileThatAnotherDeletesIsNoLoss() throws IOException {
        try (DiskTier tier = open()) {
            put(tier, 0, 50);
            for (Path file : files()) {
                Files.delete(file);
            }
            assertEquals(50, here(tier, 0, 50), "open files stay readable");
            put(tier, 50, 100);
            assertEquals(50, here(tier, 50, 100));
            assertEquals(0, here(tier, 0, 50));
        }
        try (DiskTier tier = open()) {
            assertEquals(50, here(tier, 50, 100));
        }
    }

    @Test
    void aFolderThatCannotBeUsedIsDoneWithout() throws IOException {
        Files.writeString(folder(), "a file");
        assertEquals(Optional.empty(), DiskTier.open(folder(), LIMIT, REPOSITORY, InstantSource.system()));
        Path open = Files.createDirectory(parent.resolve("open"));
        Files.setPosixFilePermissions(open, PosixFilePermissions.fromString("rwxrwxrwx"));
        assertEquals(Optional.empty(), DiskTier.open(open, LIMIT, REPOSITORY, InstantSource.system()));
    }

    @Test
    void onlyItsOwnerCanReadIt() throws IOException {
        try (DiskTier tier = open()) {
            put(tier, 0, 1);
        }
        assertEquals("rwx------", PosixFilePermissions.toString(Files.getPosixFilePermissions(folder())));
        assertEquals("rw-------", PosixFilePermissions.toString(Files.getPosixFilePermissions(files().getFirst())));
    }

    @Test
    void whenNothingCanBeWrittenWhatIsThereIsReadOn() throws IOException {
        try (DiskTier tier = open()) {
            put(tier, 0, 10);
            for (Path file : files()) {
                Files.delete(file);
            }
            Files.delete(folder());
            tier.put(place(11), frame(11), 0, frame(11).length);
            while (tier.statistics().dropped() == 0) {
                tier.put(place(12), frame(12), 0, frame(12).length);
                Thread.onSpinWait();
            }
            assertEquals(10, here(tier, 0, 10));
        }
    }
}
