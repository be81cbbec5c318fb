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
import io.afterimage.store.ObjectNotFoundException;
import io.afterimage.store.ObjectStore;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Which chunks a backup need not store again: those that the index finds in packs that are there and will stay. A pack is there when the
 * parent's manifest names it, when the store has listed it, or when this backup has stored it. It will stay unless it is condemned, of which
 * it is enough to know what was {@linkplain Condemnation condemned} when the backup began. Thread-safe.
 */
final class KnownChunks {

    private static final Logger LOG = LoggerFactory.getLogger(KnownChunks.class);

    private final ObjectStore store;
    private final ChunkIndex index;
    private final Repository repository;
    private final Healing healing;
    private final Set<PackId> condemned;
    private final Set<PackId> present = ConcurrentHashMap.newKeySet();
    private final ConcurrentHashMap<ChunkId, ChunkAddress> underWay = new ConcurrentHashMap<>();

    /** @param condemned as it was when the backup's lease was in the store, or later */
    KnownChunks(Repository repository, ChunkIndex index, Optional<Manifest> parent, Set<PackId> condemned, Healing healing) {
        this.condemned = condemned;
        this.healing = healing;
        this.repository = repository;
        this.index = index;
        store = repository.store();
        parent.ifPresent(manifest -> present.addAll(manifest.packs().ids()));
        present.removeAll(condemned);
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
        List<ObjectInfo> unknown = new ArrayList<>();
        Listing packs = store.list(PackObjects.ALL);
        while (packs.hasNext()) {
            ObjectInfo pack = packs.next();
            PackObjects.id(pack.key()).filter(id -> !condemned.contains(id)).ifPresent(id -> {
                if (index.knows(id)) {
                    present.add(id);
                } else {
                    unknown.add(pack);
                }
            });
        }
        new RequestWindow(repository.requestsAtOnce()).forEach(unknown, this::learn, _ -> {});
    }

    private PackId learn(ObjectInfo pack) throws IOException {
        PackId id = PackObjects.id(pack.key()).orElseThrow();
        try {
            index.add(id, repository.entries(id, pack.size()));
            present.add(id);
        } catch (ObjectNotFoundException _) {
            // Deleted since it was listed, as by a gc that has given up on a backup whose lease had expired: nothing of it is known.
            LOG.debug("{} is not there any more", pack.key());
        } catch (CorruptPackException e) {
            // Its chunks are stored again where they are met, so that what is damaged there heals.
            LOG.warn("{}; no new point will refer to it", e.getMessage());
        }
        return id;
    }
}
