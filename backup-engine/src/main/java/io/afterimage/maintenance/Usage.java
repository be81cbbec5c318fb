package io.afterimage.maintenance;

import io.afterimage.chunk.ChunkSize;
import io.afterimage.chunk.PackId;
import io.afterimage.maintenance.GcReport.Tally;
import io.afterimage.pack.PackObjects;
import io.afterimage.repository.Move;
import java.util.Collection;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

/** How much is needed of the packs that are there. */
record Usage(LiveFrames live, MoveListing moves, Map<PackId, Long> packs, ChunkSize chunkSize) {

    /** Of the frames that are needed, where they lie. */
    long liveBytes() {
        return packs.keySet().stream().filter(live.packs()::contains).mapToLong(this::liveBytes).sum();
    }

    private long liveBytes(PackId pack) {
        return live.of(pack).bytes(chunkSize);
    }

    /** What the pack would be shorter by, if it held nothing but what is needed. */
    private long deadBytes(PackId pack) {
        return packs.get(pack) - PackObjects.length(live.of(pack).count(), liveBytes(pack), chunkSize);
    }

    /** Packs that are needed in part; the bytes are those that nobody needs. */
    Tally partlyDead() {
        Set<PackId> partly = packs.keySet().stream()
                .filter(pack -> live.packs().contains(pack) && deadBytes(pack) > 0)
                .collect(Collectors.toSet());
        return tally(partly);
    }

    /** Those of which less than this share is needed. */
    Set<PackId> below(double share) {
        return packs.keySet().stream()
                .filter(pack -> live.packs().contains(pack) && liveBytes(pack) < packs.get(pack) * share)
                .collect(Collectors.toSet());
    }

    /** The packs that are needed in part among these, and the bytes in them that nobody needs. */
    Tally tally(Collection<PackId> some) {
        Set<PackId> needed = new HashSet<>(some);
        needed.retainAll(packs.keySet());
        needed.retainAll(live.packs());
        return new Tally(needed.size(), 0, needed.stream().mapToLong(this::deadBytes).sum());
    }

    /** Packs that were not there when packs were listed, and of which moves do not tell where all lies that is needed. */
    Set<PackId> missing() {
        Set<PackId> missing = new HashSet<>();
        for (PackId pack : live.packs()) {
            if (!packs.containsKey(pack)) {
                Set<Integer> moved = moves.of(pack).stream().map(Move::offset).collect(Collectors.toSet());
                live.of(pack).forEach((offset, _) -> {
                    if (!moved.contains(offset)) {
                        missing.add(pack);
                    }
                });
            }
        }
        return missing;
    }
}
