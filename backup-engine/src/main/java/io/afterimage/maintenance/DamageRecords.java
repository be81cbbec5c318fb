package io.afterimage.maintenance;

import io.afterimage.chunk.ChunkAddress;
import io.afterimage.chunk.ChunkId;
import io.afterimage.chunk.PackId;
import io.afterimage.repository.Damage;
import io.afterimage.repository.DamagedFrame;
import io.afterimage.repository.Repository;
import java.io.IOException;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/**
 * What is recorded of damage, brought up to date with what a verification has found. Two verifications at a time may undo each other's records; the next
 * one puts that right. For one thread.
 */
final class DamageRecords {

    private final Repository repository;
    private final Map<PackId, Damage> recorded = new HashMap<>();
    private int healed;

    DamageRecords(Repository repository) throws IOException {
        this.repository = repository;
        Damage.list(repository).forEach(damage -> recorded.put(damage.pack(), damage));
    }

    /** Whether damage of the pack was recorded before. */
    boolean contains(PackId pack) {
        return recorded.containsKey(pack);
    }

    /**
     * Stores, changes or removes the record of a pack.
     *
     * @param state how the pack was found
     * @param looked the frames that were looked at; of others the record keeps what it says
     */
    void update(PackState state, List<ChunkAddress> looked) throws IOException {
        Damage before = recorded.get(state.pack());
        if (before == null && state.isWhole()) {
            return;
        }
        Set<ChunkAddress> now = new HashSet<>(looked);
        List<DamagedFrame> others = before == null
                ? List.of()
                : before.frames().stream().filter(frame -> !now.contains(frame.address())).toList();
        // A frame whose chunk nothing tells any more may have told it when it was recorded.
        Map<ChunkAddress, ChunkId> known = new HashMap<>();
        if (before != null) {
            before.frames().forEach(frame -> frame.chunk().ifPresent(chunk -> known.put(frame.address(), chunk)));
        }
        List<DamagedFrame> frames = Stream.concat(
                        state.frames().stream()
                                .map(frame -> new DamagedFrame(
                                        frame.address(),
                                        frame.chunk().or(() -> Optional.ofNullable(known.get(frame.address()))),
                                        frame.readable())),
                        others.stream())
                .sorted(Comparator.comparingInt(frame -> frame.address().offset()))
                .toList();
        boolean isUnusable = state.problem().isPresent() || (before != null && before.whole() && !others.isEmpty());
        if (frames.isEmpty() && !isUnusable) {
            Damage.remove(repository, state.pack());
            healed++;
        } else {
            Damage damage = new Damage(state.pack(), isUnusable, frames);
            if (!damage.equals(before)) {
                damage.put(repository);
            }
        }
    }

    /** Packs whose damage is over. */
    int healed() {
        return healed;
    }
}
