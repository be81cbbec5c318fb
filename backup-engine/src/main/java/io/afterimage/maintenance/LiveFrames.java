package io.afterimage.maintenance;

import io.afterimage.catalog.HeldPoint;
import io.afterimage.capture.Progress;
import io.afterimage.chunk.PackId;
import io.afterimage.manifest.BlockMap;
import io.afterimage.manifest.CorruptManifestException;
import io.afterimage.manifest.DiskMap;
import io.afterimage.manifest.Manifest;
import io.afterimage.manifest.ManifestObjects;
import io.afterimage.repository.Move;
import io.afterimage.repository.Repository;
import io.afterimage.repository.RequestWindow;
import io.afterimage.store.ObjectKey;
import io.afterimage.store.ObjectNotFoundException;
import java.io.IOException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** The frames that some {@linkplain Roots root} names, pack by pack. For one thread. */
final class LiveFrames {

    /** Manifests in memory at once: one may be as large as all the rest of what gc keeps. */
    private static final int MANIFESTS_AT_ONCE = 4;

    private final Map<PackId, FrameSet> packs = new HashMap<>();

    private record Read(Optional<Manifest> manifest, long length) {}

    /** Reads all roots' manifests. If one of them cannot be read, nobody knows what is needed: then it throws. */
    static LiveFrames mark(Repository repository, Roots roots, Progress progress) throws IOException {
        LiveFrames live = new LiveFrames();
        progress.total(roots.roots().keySet().stream().mapToLong(key -> roots.manifests().getOrDefault(key, 0L)).sum());
        int atOnce = Math.min(MANIFESTS_AT_ONCE, repository.requestsAtOnce());
        Previous previous = new Previous(live, repository);
        new RequestWindow(atOnce).<Map.Entry<ObjectKey, Optional<HeldPoint>>, Read>forEach(
                roots.roots().entrySet(),
                root -> new Read(read(repository, root.getKey(), root.getValue()), roots.manifests().getOrDefault(root.getKey(), 0L)),
                read -> {
                    read.manifest.ifPresent(previous::add);
                    progress.advance(read.length);
                });
        return live;
    }

    /** Nothing for one that is held or was under way, and that is gone: who held it came too late, or gave it up. */
    private static Optional<Manifest> read(Repository repository, ObjectKey key, Optional<HeldPoint> sealed) throws IOException {
        ManifestObjects.Name name = ManifestObjects.name(key).orElseThrow();
        try {
            return Optional.of(sealed.isPresent()
                    ? repository.manifest(sealed.get())
                    : repository.unlistedManifest(name.machine(), name.point()));
        } catch (ObjectNotFoundException e) {
            if (repository.catalog().isThere(name.machine(), name.point())) {
                throw unreadable(name, "it is not there", e);
            }
            return Optional.empty();
        } catch (CorruptManifestException e) {
            throw unreadable(name, e.getMessage(), e);
        }
    }

    private static CorruptManifestException unreadable(ManifestObjects.Name name, String finding, IOException cause) {
        return new CorruptManifestException(
                "that of point " + name.point() + " of '" + name.machine() + "', so nobody knows what this point needs and nothing was deleted; "
                        + "put it back from a copy, or forget the point (" + finding + ")",
                cause);
    }

    /** The last manifest that was marked, of which the next one of the machine repeats most. */
    private static final class Previous {

        private final LiveFrames live;
        private final BlockMap nothing;
        private Optional<Manifest> manifest = Optional.empty();

        private Previous(LiveFrames live, Repository repository) {
            this.live = live;
            nothing = BlockMap.empty(0, repository.chunkSize());
        }

        private void add(Manifest next) {
            for (DiskMap disk : next.disks()) {
                BlockMap known = manifest.filter(last -> last.machine().equals(next.machine()))
                        .flatMap(last -> last.disk(disk.name()))
                        .map(DiskMap::map)
                        .orElse(nothing);
                disk.map().forEachFrame(known, live::add);
            }
            manifest = Optional.of(next);
        }
    }

    /** Adds what moves of live frames lead to, and moves of those in turn. */
    void follow(Map<PackId, List<Move>> moves) {
        long before;
        do {
            before = count();
            moves.forEach((pack, ofPack) -> ofPack.stream()
                    .filter(move -> isLive(pack, move.offset()))
                    .forEach(move -> add(move.to().pack(), move.to().offset(), move.to().lengthCode())));
        } while (count() > before);
    }

    private long count() {
        return packs.values().stream().mapToLong(FrameSet::count).sum();
    }

    private boolean isLive(PackId pack, int offset) {
        FrameSet frames = packs.get(pack);
        return frames != null && frames.contains(offset);
    }

    void add(PackId pack, int offset, int lengthCode) {
        packs.computeIfAbsent(pack, _ -> new FrameSet()).add(offset, lengthCode);
    }

    Set<PackId> packs() {
        return packs.keySet();
    }

    /** The live frames of a pack that has any. */
    FrameSet of(PackId pack) {
        return packs.get(pack);
    }
}
