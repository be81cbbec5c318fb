package io.afterimage.index;

import io.afterimage.chunk.ChunkAddress;
import io.afterimage.chunk.ChunkId;
import io.afterimage.chunk.PackId;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.function.BiConsumer;
import java.util.function.IntFunction;
import java.util.zip.CRC32C;

/**
 * A hash table in a mapped file: open addressing, a slot for each chunk, never on the heap however many there are. Slots carry
 * a checksum that covers the pack's id too, so that what a crash left half-written is not found.
 *
 * <p>A slot: chunk id (32), number of the pack plus one (4; 0 in an empty slot), offset (4), length code (4), checksum (4).
 */
final class SlotTable implements AutoCloseable {

    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.BIG_ENDIAN);
    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.BIG_ENDIAN);
    private static final int SLOT = 48;
    private static final int ZEROS = 1 << 20;

    private final Arena arena = Arena.ofShared();
    private final MemorySegment slots;
    private final long count;
    private final IntFunction<PackId> packs;
    private long used;

    /**
     * A new table in a file of its own, all of whose blocks are there: of a page without one nobody is told but by a signal.
     *
     * @throws IOException if the file system has no room for that
     */
    static SlotTable create(Path file, long count, IntFunction<PackId> packs) throws IOException {
        Files.deleteIfExists(file);
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
            for (long at = 0; at < count * SLOT; ) {
                at += channel.write(ByteBuffer.allocate((int) Math.min(ZEROS, count * SLOT - at)));
            }
        } catch (IOException e) {
            Files.deleteIfExists(file);
            throw e;
        }
        return new SlotTable(file, count, packs);
    }

    /**
     * @param file of that many slots
     * @param count the number of slots, a power of two
     * @param packs the pack of a number; null if there is none of it
     */
    SlotTable(Path file, long count, IntFunction<PackId> packs) throws IOException {
        this.count = count;
        this.packs = packs;
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
            slots = channel.map(FileChannel.MapMode.READ_WRITE, 0, count * SLOT, arena);
        } catch (IOException | RuntimeException e) {
            arena.close();
            throw e;
        }
        for (long slot = 0; slot < count; slot++) {
            used += slots.get(INT, slot * SLOT + 32) != 0 ? 1 : 0;
        }
    }

    /** Whether there should be more slots before another {@code more} chunks are added. */
    boolean isCrowdedBy(int more) {
        return used + more > count / 5 * 3;
    }

    ChunkAddress find(ChunkId id) {
        long slot = slotOf(id);
        int number = slots.get(INT, slot * SLOT + 32);
        return number == 0 ? null : address(id, slot, number);
    }

    void put(ChunkId id, int packNumber, ChunkAddress address) {
        long slot = slotOf(id);
        long at = slot * SLOT;
        used += slots.get(INT, at + 32) == 0 ? 1 : 0;
        slots.set(LONG, at, id.a());
        slots.set(LONG, at + 8, id.b());
        slots.set(LONG, at + 16, id.c());
        slots.set(LONG, at + 24, id.d());
        slots.set(INT, at + 36, address.offset());
        slots.set(INT, at + 40, address.lengthCode());
        slots.set(INT, at + 44, checksum(id, address.pack(), address.offset(), address.lengthCode()));
        slots.set(INT, at + 32, packNumber + 1);
    }

    /** Adds all that is found here to {@code other}. */
    void copyTo(SlotTable other) {
        for (long slot = 0; slot < count; slot++) {
            int number = slots.get(INT, slot * SLOT + 32);
            if (number != 0) {
                ChunkId id = idAt(slot);
                ChunkAddress address = address(id, slot, number);
                if (address != null) {
                    other.put(id, number - 1, address);
                }
            }
        }
    }

    /** Tells all that is found here. */
    void forEach(BiConsumer<ChunkId, ChunkAddress> visitor) {
        for (long slot = 0; slot < count; slot++) {
            int number = slots.get(INT, slot * SLOT + 32);
            ChunkId id = number == 0 ? null : idAt(slot);
            ChunkAddress address = number == 0 ? null : address(id, slot, number);
            if (address != null) {
                visitor.accept(id, address);
            }
        }
    }

    /** The slot that holds the chunk, or the empty one where it belongs. There is always an empty one. */
    private long slotOf(ChunkId id) {
        long slot = id.a() & (count - 1);
        while (slots.get(INT, slot * SLOT + 32) != 0 && !isAt(slot, id)) {
            slot = (slot + 1) & (count - 1);
        }
        return slot;
    }

    private boolean isAt(long slot, ChunkId id) {
        long at = slot * SLOT;
        return slots.get(LONG, at) == id.a()
                && slots.get(LONG, at + 8) == id.b()
                && slots.get(LONG, at + 16) == id.c()
                && slots.get(LONG, at + 24) == id.d();
    }

    private ChunkId idAt(long slot) {
        return ChunkId.get(slots.asSlice(slot * SLOT, ChunkId.LENGTH).asByteBuffer());
    }

    private ChunkAddress address(ChunkId id, long slot, int number) {
        PackId pack = packs.apply(number - 1);
        int offset = slots.get(INT, slot * SLOT + 36);
        int lengthCode = slots.get(INT, slot * SLOT + 40);
        boolean whole = pack != null && slots.get(INT, slot * SLOT + 44) == checksum(id, pack, offset, lengthCode);
        return whole ? new ChunkAddress(pack, offset, lengthCode) : null;
    }

    private static int checksum(ChunkId id, PackId pack, int offset, int lengthCode) {
        ByteBuffer bytes = ByteBuffer.allocate(ChunkId.LENGTH + PackId.LENGTH + 8);
        id.put(bytes);
        pack.put(bytes);
        bytes.putInt(offset).putInt(lengthCode);
        CRC32C crc = new CRC32C();
        crc.update(bytes.flip());
        return (int) crc.getValue();
    }

    @Override
    public void close() {
        arena.close();
    }
}
