package io.afterimage.index;

import io.afterimage.chunk.ChunkAddress;
import io.afterimage.chunk.ChunkId;
import io.afterimage.chunk.PackId;
import io.afterimage.pack.PackEntry;
import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.locks.ReadWriteLock;
import java.util.concurrent.locks.ReentrantReadWriteLock;

/**
 * Hash to address for the packs of one repository, in files of this host: {@code packs} is a list of ids, {@code chunks} a
 * {@link SlotTable}. Either may be lost at any time, which costs duplicates or a rebuild, never a wrong answer. Thread-safe; one
 * process at a time opens a folder, the next one gets an empty index of its own for the time.
 */
public final class ChunkIndex implements Closeable {

    private static final String PACKS = "packs";
    private static final String CHUNKS = "chunks";
    private static final long FIRST_SLOTS = 1 << 16;
    private static final int SLOT_BYTES = 48;

    private final Path folder;
    private final IndexLock lock;
    private final FileChannel packFile;
    private final List<PackId> packs = new ArrayList<>();
    private final Set<PackId> known = new HashSet<>();
    private final ReadWriteLock guard = new ReentrantReadWriteLock();
    private SlotTable table;

    private ChunkIndex(IndexLock lock) throws IOException {
        this.lock = lock;
        folder = lock.folder();
        packFile = FileChannel.open(
                folder.resolve(PACKS), StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE);
        ByteBuffer ids = ByteBuffer.allocate(Math.toIntExact(packFile.size() / PackId.LENGTH * PackId.LENGTH));
        packFile.read(ids, 0);
        ids.flip();
        while (ids.remaining() >= PackId.LENGTH) {
            packs.add(PackId.get(ids));
        }
        known.addAll(packs);
        Path chunks = folder.resolve(CHUNKS);
        long slots = Files.exists(chunks) ? Files.size(chunks) / SLOT_BYTES : 0;
        if (Long.bitCount(slots) != 1) {
            Files.deleteIfExists(chunks);
            packs.clear();
            known.clear();
            slots = FIRST_SLOTS;
        }
        table = new SlotTable(chunks, slots, this::pack);
    }

    /** Opens the index in {@code folder}, made if it is not there; a temporary one while another process has it open. */
    public static ChunkIndex open(Path folder) throws IOException {
        IndexLock lock = IndexLock.take(folder);
        try {
            return new ChunkIndex(lock);
        } catch (IOException | RuntimeException e) {
            lock.close();
            throw e;
        }
    }

    /** Where a chunk of that hash was last said to lie, or null. The pack may be gone since. */
    public ChunkAddress find(ChunkId id) {
        guard.readLock().lock();
        try {
            return table.find(id);
        } finally {
            guard.readLock().unlock();
        }
    }

    /** What was last said to lie in those packs: each chunk where it would be found, so not all of them. Walks over the whole index. */
    public Map<ChunkAddress, ChunkId> chunksOf(Set<PackId> wanted) {
        guard.readLock().lock();
        try {
            Map<ChunkAddress, ChunkId> chunks = new HashMap<>();
            table.forEach((id, address) -> {
                if (wanted.contains(address.pack())) {
                    chunks.put(address, id);
                }
            });
            return chunks;
        } finally {
            guard.readLock().unlock();
        }
    }

    /** Whether the pack's chunks have been added. */
    public boolean knows(PackId pack) {
        guard.readLock().lock();
        try {
            return known.contains(pack);
        } finally {
            guard.readLock().unlock();
        }
    }

    /** Adds the chunks of a pack that the store has. A chunk that was known elsewhere is known here from now on. */
    public void add(PackId pack, List<PackEntry> entries) throws IOException {
        guard.writeLock().lock();
        try {
            if (table.isCrowdedBy(entries.size())) {
                grow(entries.size());
            }
            ByteBuffer id = ByteBuffer.allocate(PackId.LENGTH);
            pack.put(id);
            int number = packs.size();
            packFile.write(id.flip(), (long) number * PackId.LENGTH);
            packs.add(pack);
            known.add(pack);
            for (PackEntry entry : entries) {
                table.put(entry.id(), number, entry.address());
            }
        } finally {
            guard.writeLock().unlock();
        }
    }

    private void grow(int more) throws IOException {
        Path next = folder.resolve(CHUNKS + ".new");
        Files.deleteIfExists(next);
        long slots = Files.size(folder.resolve(CHUNKS)) / SLOT_BYTES;
        SlotTable larger;
        do {
            slots *= 2;
        } while (more > slots / 5);
        larger = new SlotTable(next, slots, this::pack);
        table.copyTo(larger);
        table.close();
        Files.move(next, folder.resolve(CHUNKS), StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        table = larger;
    }

    private PackId pack(int number) {
        return number >= 0 && number < packs.size() ? packs.get(number) : null;
    }

    @Override
    public void close() throws IOException {
        guard.writeLock().lock();
        try {
            table.close();
            packFile.close();
            lock.close();
        } finally {
            guard.writeLock().unlock();
        }
    }
}
