package io.afterimage.repository;

import io.afterimage.chunk.ChunkAddress;
import io.afterimage.chunk.ChunkId;
import io.afterimage.chunk.PackId;
import io.afterimage.index.ChunkIndex;
import io.afterimage.manifest.Manifest;
import io.afterimage.pack.CorruptPackException;
import io.afterimage.pack.PackEntry;
import io.afterimage.pack.PackObjects;
import io.afterimage.store.Listing;
import io.afterimage.store.ObjectInfo;
import io.afterimage.store.ObjectStore;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.Semaphore;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Which chunks a backup need not store again: those that the index finds in packs that are there. A pack is there when the parent's
 * manifest names it, when the store has listed it, or when this backup has stored it. Thread-safe.
 */
final class KnownChunks {

    private static final Logger LOG = LoggerFactory.getLogger(KnownChunks.class);
    private static final int REQUESTS_AT_ONCE = 16;

    private final ObjectStore store;
    private final ChunkIndex index;
    private final Repository repository;
    private final Healing healing;
    private final Set<PackId> present = ConcurrentHashMap.newKeySet();
    private final ConcurrentHashMap<ChunkId, ChunkAddress> underWay = new ConcurrentHashMap<>();

    KnownChunks(Repository repository, ChunkIndex index, Optional<Manifest> parent, Healing healing) {
        this.healing = healing;
        this.repository = repository;
        this.index = index;
        store = repository.store();
        parent.ifPresent(manifest -> present.addAll(manifest.packs().ids()));
    }

    /** Where a chunk of that hash lies or is about to lie, or null when it must be stored. */
    ChunkAddress find(ChunkId id) {
        ChunkAddress waiting = underWay.get(id);
        if (waiting != null) {
            return waiting;
        }
        ChunkAddress found = index.find(id);
        return found != null && present.contains(found.pack()) && !healing.isSetAside(found) ? found : null;
    }

    /** The chunk will lie there when its pack is stored. */
    void add(ChunkId id, ChunkAddress address) {
        underWay.put(id, address);
    }

    /** A pack of this backup has been stored, and the index knows it. */
    void stored(List<PackEntry> entries) {
        entries.forEach(entry -> present.add(entry.address().pack()));
        entries.forEach(entry -> underWay.remove(entry.id()));
    }

    /** Takes in all packs of the repository, by their own indexes where this host's does not know them yet. */
    void learnAll() throws IOException {
        List<Future<?>> readings = new ArrayList<>();
        Semaphore places = new Semaphore(REQUESTS_AT_ONCE);
        try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            Listing packs = store.list(PackObjects.ALL);
            while (packs.hasNext()) {
                ObjectInfo pack = packs.next();
                Optional<PackId> id = PackObjects.id(pack.key());
                if (id.isPresent() && index.knows(id.get())) {
                    present.add(id.get());
                } else if (id.isPresent()) {
                    readings.add(threads.submit(() -> {
                        places.acquire();
                        try {
                            learn(id.get(), pack);
                        } finally {
                            places.release();
                        }
                        return null;
                    }));
                }
            }
            for (Future<?> reading : readings) {
                reading.get();
            }
        } catch (ExecutionException e) {
            throw e.getCause() instanceof IOException failure ? failure : new IOException("a pack's index could not be read", e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted while the packs' indexes were read", e);
        }
    }

    private void learn(PackId id, ObjectInfo pack) throws IOException {
        try {
            index.add(id, repository.entries(id, pack.size()));
            present.add(id);
        } catch (CorruptPackException e) {
            // Its chunks are stored again where they are met, so that what is damaged there heals.
            LOG.warn("{}; no new point will refer to it", e.getMessage());
        }
    }
}
