package io.afterimage.block;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** What every {@link BlockDevice} promises. A subclass says how to make one; what a read-only device cannot do is tested as refused. */
public abstract class BlockDeviceContract {

    private static final int SIZE = 1_000_003;

    /** A device with exactly these bytes. Called once per test; the test closes it. */
    protected abstract BlockDevice create(byte[] content) throws IOException;

    private static byte[] content() {
        byte[] bytes = new byte[SIZE];
        new Random(42).nextBytes(bytes);
        Arrays.fill(bytes, 200_000, 600_000, (byte) 0);
        return bytes;
    }

    private static byte[] read(BlockDevice device, long offset, int length) throws IOException {
        ByteBuffer target = ByteBuffer.allocate(length + 10).position(5).limit(5 + length);
        device.read(offset, target);
        assertEquals(5 + length, target.position());
        return Arrays.copyOfRange(target.array(), 5, 5 + length);
    }

    @Test
    void readsAnyRange() throws IOException {
        byte[] content = content();
        try (BlockDevice device = create(content)) {
            assertEquals(SIZE, device.size());
            assertArrayEquals(content, read(device, 0, SIZE));
            Random random = new Random(1);
            for (int i = 0; i < 200; i++) {
                int offset = random.nextInt(SIZE);
                int length = random.nextInt(Math.min(SIZE - offset, 200_000) + 1);
                assertArrayEquals(Arrays.copyOfRange(content, offset, offset + length), read(device, offset, length));
            }
        }
    }

    @Test
    void refusesRangesBeyondItsEndAndDoesNothing() throws IOException {
        byte[] content = content();
        try (BlockDevice device = create(content)) {
            for (long offset : new long[] {-1, SIZE, SIZE - 9, SIZE + 1L, Long.MAX_VALUE - 3, Long.MIN_VALUE}) {
                ByteBuffer bytes = ByteBuffer.allocate(10);
                assertThrows(IndexOutOfBoundsException.class, () -> device.read(offset, bytes), () -> "offset " + offset);
                assertEquals(0, bytes.position());
                if (device.canWrite()) {
                    assertThrows(IndexOutOfBoundsException.class, () -> device.write(offset, ByteBuffer.allocate(10)));
                }
            }
            ByteRange beyond = new ByteRange(SIZE - 5, 6);
            assertThrows(IndexOutOfBoundsException.class, () -> device.extents(beyond, 1));
            if (device.canWrite()) {
                assertThrows(IndexOutOfBoundsException.class, () -> device.zero(beyond, true));
                assertThrows(IndexOutOfBoundsException.class, () -> device.trim(beyond));
            }
            assertArrayEquals(content, read(device, 0, SIZE));
        }
    }

    @Test
    void allowsEmptyRangesAnywhereWithin() throws IOException {
        try (BlockDevice device = create(content())) {
            for (long offset : new long[] {0, 1, SIZE}) {
                device.read(offset, ByteBuffer.allocate(0));
                assertEquals(List.of(), device.extents(new ByteRange(offset, 0), 1));
                if (device.canWrite()) {
                    device.write(offset, ByteBuffer.allocate(0));
                    device.zero(new ByteRange(offset, 0), false);
                    device.trim(new ByteRange(offset, 0));
                }
            }
        }
    }

    @Test
    void residentReadsAreAllOrNothing() throws IOException {
        byte[] content = content();
        try (BlockDevice device = create(content)) {
            ByteBuffer target = ByteBuffer.allocateDirect(70_000);
            boolean resident = device.readResident(123_457, target);
            assertEquals(resident ? 70_000 : 0, target.position());
            if (resident) {
                byte[] read = new byte[70_000];
                target.flip().get(read);
                assertArrayEquals(Arrays.copyOfRange(content, 123_457, 193_457), read);
            }
        }
    }

    @Test
    void extentsCoverTheRangeAndDoNotLie() throws IOException {
        byte[] content = content();
        try (BlockDevice device = create(content)) {
            for (ByteRange range : List.of(new ByteRange(0, SIZE), new ByteRange(1, 300_000), new ByteRange(250_001, 1))) {
                List<Extent> extents = device.extents(range, Integer.MAX_VALUE);
                long position = range.offset();
                for (int i = 0; i < extents.size(); i++) {
                    Extent extent = extents.get(i);
                    assertEquals(position, extent.range().offset());
                    position = extent.range().end();
                    if (i > 0) {
                        assertNotEquals(extents.get(i - 1).kind(), extent.kind(), "neighbours differ");
                    }
                    for (long at = extent.range().offset(); extent.kind().readsAsZeros() && at < extent.range().end(); at++) {
                        assertEquals(0, content[(int) at], "byte " + at + " of " + extent);
                    }
                }
                assertEquals(range.end(), position);
                assertEquals(extents.subList(0, 1), device.extents(range, 1));
            }
        }
    }

    @Test
    void writesZeroesAndTrims() throws IOException {
        byte[] expected = content();
        try (BlockDevice device = create(expected.clone())) {
            if (!device.canWrite()) {
                assertThrows(ReadOnlyDeviceException.class, () -> device.write(0, ByteBuffer.allocate(1)));
                assertThrows(ReadOnlyDeviceException.class, () -> device.zero(new ByteRange(0, 1), true));
                assertThrows(ReadOnlyDeviceException.class, () -> device.trim(new ByteRange(0, 1)));
                assertFalse(device.canZeroFast());
                device.flush();
                return;
            }
            Random random = new Random(2);
            for (int i = 0; i < 300; i++) {
                int offset = random.nextInt(SIZE);
                int length = random.nextInt(Math.min(SIZE - offset, i % 10 == 0 ? SIZE : 10_000) + 1);
                if (i % 3 == 0) {
                    device.zero(new ByteRange(offset, length), i % 2 == 0);
                    Arrays.fill(expected, offset, offset + length, (byte) 0);
                } else {
                    byte[] bytes = new byte[length];
                    random.nextBytes(bytes);
                    ByteBuffer source = i % 2 == 0 ? ByteBuffer.wrap(bytes) : ByteBuffer.allocateDirect(length).put(bytes).flip();
                    device.write(offset, source);
                    assertFalse(source.hasRemaining());
                    System.arraycopy(bytes, 0, expected, offset, length);
                }
            }
            device.flush();
            assertArrayEquals(expected, read(device, 0, SIZE));
            device.trim(new ByteRange(100_001, 300_000));
            byte[] trimmed = read(device, 0, SIZE);
            for (int i = 0; i < SIZE; i++) {
                boolean within = i >= 100_001 && i < 400_001;
                int at = i;
                assertTrue(trimmed[i] == expected[i] || (within && trimmed[i] == 0), () -> "byte " + at);
            }
        }
    }
}
