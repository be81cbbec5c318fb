package io.afterimage.index;

import io.afterimage.chunk.ChunkAddress;
import io.afterimage.chunk.ChunkId;
import io.afterimage.chunk.PackId;
import io.afterimage.pack.PackEntry;
import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedByInterruptException;
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
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Hash to address for the packs of one repository, in files of this host: {@code packs} is a list of ids, {@code chunks} a
 * {@link SlotTable}. Either may be lost at any time, which costs duplicates or a rebuild, never a wrong answer; so does a host whose disk
 * takes no more of it. Thread-safe; one process at a time opens a folder, the next one gets an empty index of its own for the time.
 */
public final class ChunkIndex implements Closeable {

    private static final Logger LOG = LoggerFactory.getLogger(ChunkIndex.class);

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
    private boolean full;

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
        try {
            table = table(folder.resolve(CHUNKS));
        } catch (IOException | RuntimeException | Error e) {
            packFile.close();
            throw e;
        }
    }

    private SlotTable table(Path chunks) throws IOException {
        long slots = Files.exists(chunks) ? Files.size(chunks) / SLOT_BYTES : 0;
        if (Long.bitCount(slots) == 1) {
            SlotTable found = new SlotTable(chunks, slots, this::pack);
            if (!found.isCrowdedBy(0)) {
                return found;
            }
            found.close();
        }
        packs.clear();
        known.clear();
        return SlotTable.create(chunks, FIRST_SLOTS, this::pack);
    }

    /**
     * Opens the index in {@code folder}, made if it is not there; a temporary one while another process has it open, or where nothing can be
     * written.
     */
    public static ChunkIndex open(Path folder) throws IOException {
        try {
            return open(IndexLock.take(folder));
        } catch (IOException | InternalError e) {
            LOG.warn("The index in {} cannot be kept, and this run does with a temporary one: make room there, or name another place. ({})", folder, e.toString());
            return open(IndexLock.temporary());
        }
    }

    private static ChunkIndex open(IndexLock lock) throws IOException {
        try {
            return new ChunkIndex(lock);
        } catch (IOException | RuntimeException | Error e) {
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

    /**
     * Adds the chunks of a pack that the store has. A chunk that was known elsewhere is known here from now on. When this host has no room for
     * that, nothing more is added for as long as this is open.
     */
    public void add(PackId pack, List<PackEntry> entries) {
        guard.writeLock().lock();
        try {
            if (!full) {
                addWithRoom(pack, entries);
            }
        } catch (ClosedByInterruptException e) {
            // Whoever adds is being broken off, and has closed the file by that: no word of it, since nothing is wrong with this host.
            full = true;
        } catch (IOException | InternalError e) {
            // An InternalError is what Java makes of a page that the file system has no room for.
            full = true;
            LOG.warn("The index in {} cannot take more, so less is known to be stored already: make room there. ({})", folder, e.toString());
        } finally {
            guard.writeLock().unlock();
        }
    }

    private void addWithRoom(PackId pack, List<PackEntry> entries) throws IOException {
        if (table.isCrowdedBy(entries.size())) {
            grow(entries.size());
        }
        int number = packs.size();
        packs.add(pack);
        for (PackEntry entry : entries) {
            table.put(entry.id(), number, entry.address());
        }
        ByteBuffer id = ByteBuffer.allocate(PackId.LENGTH);
        pack.put(id);
        packFile.write(id.flip(), (long) number * PackId.LENGTH);
        known.add(pack);
    }

    private void grow(int more) throws IOException {
        Path next = folder.resolve(CHUNKS + ".new");
        long slots = Files.size(folder.resolve(CHUNKS)) / SLOT_BYTES;
        SlotTable larger;
        do {
            slots *= 2;
        } while (more > slots / 5);
        larger = SlotTable.create(next, slots, this::pack);
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
