package io.afterimage.overlay;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import io.afterimage.block.ByteRange;
import io.afterimage.block.DeviceFullException;
import io.afterimage.block.MemoryDevice;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Random;
import java.util.UUID;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Random changes of an overlay on a disk that loses its power, or a process that is killed, at random moments, held against a model: each sector
 * holds what it held when the last flush was confirmed, or what one of the changes since has put there.
 */
class PowerCutTest {

    private static final int SECTOR = 512;
    /** No multiple of a block, and more than one page of the map. */
    private static final int SIZE = 5 * 1024 * 1024 + 3 * SECTOR;

    private static final int SECTORS = SIZE / SECTOR;

    /** What a sector may hold: zeros, its own number, or the stamp of a write. */
    private final int[][] allowed = new int[SECTORS][];

    private int stamp = 1_000_000;

    static IntStream seeds() {
        return IntStream.range(0, Integer.getInteger("afterimage.seeds", 40));
    }

    @ParameterizedTest
    @MethodSource("seeds")
    void whatWasFlushedIsThere(int seed) throws IOException {
        Random random = new Random(seed);
        PowerlessFolder folder = new PowerlessFolder(random, Math.ceilDiv(SIZE, 4096) * 4096);
        MemoryDevice base = new MemoryDevice(SIZE);
        for (int i = 0; i < SECTORS; i++) {
            boolean data = i % 7 != 0;
            allowed[i] = new int[] {data ? i + 1 : 0};
            if (data) {
                base.write((long) i * SECTOR, filled(1, i + 1));
            }
        }
        OverlayMap.create(folder, UUID.randomUUID(), SIZE);
        boolean durable = true;
        for (int life = 0; life < 6; life++) {
            OverlayDevice device = open(folder, base, random);
            settle(device, durable);
            try {
                folder.cutAfter(random.nextInt(random.nextBoolean() ? 20 : 200));
                live(device, folder, random);
            } catch (PowerlessFolder.PowerCut _) {
                // As it should be.
            } catch (IOException e) {
                assertTrue(isPowerCut(e), () -> "seed " + seed + ": " + e);
            }
            durable = random.nextInt(4) > 0;
            if (durable) {
                folder.restart();
            } else {
                folder.kill();
            }
        }
        settle(open(folder, base, random), durable);
    }

    /** The kernel may have dropped what a failed sync was for, and would confirm the next. */
    @Test
    void afterAFailedSyncNothingIsConfirmedAnyMore() throws IOException {
        PowerlessFolder folder = new PowerlessFolder(new Random(1), Math.ceilDiv(SIZE, 4096) * 4096);
        OverlayMap.create(folder, UUID.randomUUID(), SIZE);
        OverlayDevice device = OverlayDevice.open(folder, () -> {}, new MemoryDevice(SIZE), SIZE, OverlayMap.SHORT_LOG);
        device.write(0, filled(8, 7));
        folder.cutAfter(0);
        assertThrows(IOException.class, device::flush);
        folder.kill();
        assertThrows(IOException.class, device::flush);
        assertThrows(IOException.class, () -> device.write(4096, filled(8, 8)));
        assertThrows(IOException.class, () -> device.zero(new ByteRange(0, 4096), true));
        device.close();
    }

    private static boolean isPowerCut(Throwable thrown) {
        return thrown != null && (thrown instanceof PowerlessFolder.PowerCut || isPowerCut(thrown.getCause()));
    }

    /** Opening must succeed, also if the power goes again while it does. */
    private static OverlayDevice open(PowerlessFolder folder, MemoryDevice base, Random random) throws IOException {
        if (random.nextInt(3) == 0) {
            folder.cutAfter(random.nextInt(10));
            try {
                return OverlayDevice.open(folder, () -> {}, base, Long.MAX_VALUE / 2, 1 << (12 + random.nextInt(6)));
            } catch (PowerlessFolder.PowerCut _) {
                folder.restart();
            }
        }
        folder.cutAfter(Integer.MAX_VALUE);
        return OverlayDevice.open(folder, () -> {}, base, Long.MAX_VALUE / 2, 1 << (12 + random.nextInt(6)));
    }

    private void live(OverlayDevice device, PowerlessFolder folder, Random random) throws IOException {
        while (true) {
            int first = random.nextInt(SECTORS);
            int count = Math.min(SECTORS - first, 1 + random.nextInt(random.nextInt(5) == 0 ? 6000 : 24));
            if (random.nextInt(3) > 0) {
                first &= ~7;
                count = Math.min(SECTORS - first, (count + 7) & ~7);
            }
            ByteRange range = new ByteRange((long) first * SECTOR, (long) count * SECTOR);
            try {
                switch (random.nextInt(12)) {
                    case 0 -> {
                        allow(first, count, 0);
                        device.zero(range, random.nextBoolean());
                        is(first, count, 0);
                    }
                    case 1 -> {
                        allow(first, count, 0);
                        device.trim(range);
                    }
                    case 2, 3 -> {
                        confirm(device, device::flush);
                        if (random.nextInt(10) == 0) {
                            confirm(device, device::close);
                            return;
                        }
                    }
                    case 4 -> folder.setFull(random.nextInt(4) == 0);
                    case 5 -> check(device);
                    default -> {
                        int value = stamp++;
                        allow(first, count, value);
                        device.write(range.offset(), filled(count, value));
                        is(first, count, value);
                    }
                }
            } catch (DeviceFullException _) {
                folder.setFull(false);
            }
        }
    }

    /** What programs must see now, until the power goes; kept only for reads of this life. */
    private final int[] seen = new int[SECTORS];

    private void is(int first, int count, int value) {
        for (int i = first; i < first + count; i++) {
            seen[i] = value;
        }
    }

    private boolean mayHold(int sector, int value) {
        for (int each : allowed[sector]) {
            if (each == value) {
                return true;
            }
        }
        return false;
    }

    private void allow(int first, int count, int value) {
        for (int i = first; i < first + count; i++) {
            if (!mayHold(i, value)) {
                allowed[i] = Arrays.copyOf(allowed[i], allowed[i].length + 1);
                allowed[i][allowed[i].length - 1] = value;
            }
            // Until the change has ended well nothing is known but that.
            seen[i] = -1;
        }
    }

    /** A change of the whole that ends well. */
    private interface Flush {
        void run() throws IOException;
    }

    /** After a flush nothing but what is there now may be there later. */
    private void confirm(OverlayDevice device, Flush flush) throws IOException {
        int[] before = values(device);
        flush.run();
        for (int i = 0; i < SECTORS; i++) {
            allowed[i] = new int[] {before[i]};
        }
    }

    private void check(OverlayDevice device) throws IOException {
        int[] values = values(device);
        for (int i = 0; i < SECTORS; i++) {
            int value = values[i];
            boolean right = seen[i] < 0 ? mayHold(i, value) : seen[i] == value;
            assertTrue(right, "sector " + i + " holds " + value);
        }
    }

    /**
     * Takes what is found as what is there, if it may be.
     *
     * @param durable whether it has come from the disk; else from the kernel, and what was on the disk may come yet
     */
    private void settle(OverlayDevice device, boolean durable) throws IOException {
        int[] values = values(device);
        for (int i = 0; i < SECTORS; i++) {
            if (!mayHold(i, values[i])) {
                fail("sector " + i + " holds " + values[i] + " and may hold " + Arrays.toString(allowed[i]));
            }
            seen[i] = values[i];
            if (durable) {
                allowed[i] = new int[] {values[i]};
            }
        }
    }

    private static int[] values(OverlayDevice device) throws IOException {
        ByteBuffer bytes = ByteBuffer.allocate(SIZE);
        device.read(0, bytes);
        int[] values = new int[SECTORS];
        for (int i = 0; i < SECTORS; i++) {
            values[i] = bytes.getInt(i * SECTOR);
            int rest = bytes.slice(i * SECTOR, SECTOR - 4).mismatch(bytes.slice(i * SECTOR + 4, SECTOR - 4));
            assertEquals(-1, rest, "within sector " + i);
        }
        return values;
    }

    private static ByteBuffer filled(int sectors, int value) {
        ByteBuffer bytes = ByteBuffer.allocate(sectors * SECTOR);
        while (bytes.hasRemaining()) {
            bytes.putInt(value);
        }
        return bytes.flip();
    }
}
