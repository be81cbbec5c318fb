package io.afterimage.repository;

import io.afterimage.chunk.ChunkAddress;
import io.afterimage.chunk.PackId;
import io.afterimage.keys.BrokenSealException;
import io.afterimage.repository.RepositoryException.Reason;
import io.afterimage.store.Listing;
import io.afterimage.store.ObjectKey;
import io.afterimage.store.ObjectNotFoundException;
import io.afterimage.store.Problem;
import io.afterimage.store.StoreException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Where frames lie that were moved: what gc has carried from packs hardly used into others, and what a backup has stored anew because it was
 * damaged. No manifest is touched by a move, so a reader who does not find a chunk where the manifest says asks here. Thread-safe.
 *
 * <p>What was read is kept, bounded, for as long as the process lives. It never goes wrong, since each frame is verified when it is read;
 * it may be incomplete, so that whoever does not find a chunk by what is kept asks the store ({@link #fresh}).
 */
public final class Moves {

    private static final Logger LOG = LoggerFactory.getLogger(Moves.class);

    /** Moves kept in memory, at about 150 bytes each. */
    private static final int KEPT = 200_000;

    private final Repository repository;
    private final Map<PackId, Map<Integer, List<Move>>> kept = new LinkedHashMap<>(16, 0.75f, true);
    /** Packs that the store does not have; those of which no move tells do not stay here. */
    private final Set<PackId> gone = new HashSet<>();
    private int keptMoves;

    Moves(Repository repository) {
        this.repository = repository;
    }

    /** All moves of frames of that pack, from the store: a LIST, and a GET for each object there. One that is damaged is passed over. */
    public List<Move> fresh(PackId pack) throws IOException {
        List<Move> moves = new ArrayList<>();
        Listing objects = repository.store().list(MoveObjects.of(pack));
        while (objects.hasNext()) {
            ObjectKey key = objects.next().key();
            if (MoveObjects.pack(key).isPresent()) {
                moves.addAll(read(pack, key));
            }
        }
        keep(pack, moves.stream().collect(Collectors.groupingBy(Move::offset)), moves.size());
        return moves;
    }

    private List<Move> read(PackId pack, ObjectKey key) throws IOException {
        try {
            return MoveObjects.decode(pack, repository.getSealed(key, MoveObjects.LARGEST));
        } catch (ObjectNotFoundException e) {
            return List.of();
        } catch (IllegalArgumentException | BrokenSealException e) {
            LOG.warn("The object {} does not count: {}", key, e.getMessage());
            return List.of();
        } catch (StoreException e) {
            if (e.problem() != Problem.TOO_LARGE && e.problem() != Problem.TOO_SHORT) {
                throw e;
            }
            LOG.warn("The object {} does not count: {}", key, e.getMessage());
            return List.of();
        }
    }

    /**
     * The moves in one object of those from {@code pack}; none if it is gone.
     *
     * @throws RepositoryException if they cannot be read: who deletes what nothing leads to must know them all
     */
    public List<Move> require(PackId pack, ObjectKey key) throws IOException {
        try {
            return MoveObjects.decode(pack, repository.getSealed(key, MoveObjects.LARGEST));
        } catch (ObjectNotFoundException e) {
            return List.of();
        } catch (IllegalArgumentException | BrokenSealException e) {
            throw new RepositoryException(
                    Reason.DAMAGED,
                    "The object " + key + " does not tell where chunks have been moved to (" + e.getMessage() + "), so nobody knows what is needed and nothing "
                            + "was deleted: put it back from a copy, or remove it and run 'afterimage verify'.",
                    e);
        }
    }

    private synchronized void keep(PackId pack, Map<Integer, List<Move>> moves, int count) {
        Map<Integer, List<Move>> before = kept.remove(pack);
        keptMoves -= before == null ? 0 : count(before);
        if (count == 0) {
            gone.remove(pack);
            return;
        }
        kept.put(pack, moves);
        keptMoves += count;
        Iterator<Map.Entry<PackId, Map<Integer, List<Move>>>> eldest = kept.entrySet().iterator();
        while (keptMoves > KEPT && kept.size() > 1) {
            Map.Entry<PackId, Map<Integer, List<Move>>> entry = eldest.next();
            keptMoves -= count(entry.getValue());
            gone.remove(entry.getKey());
            eldest.remove();
        }
    }

    private static int count(Map<Integer, List<Move>> moves) {
        return moves.values().stream().mapToInt(List::size).sum();
    }

    /** Where to look for a chunk first: at home, unless its pack is known to be gone and the chunk to lie elsewhere. Never asks the store. */
    synchronized FrameLocation locate(ChunkAddress address) {
        if (!gone.contains(address.pack())) {
            return FrameLocation.home(address);
        }
        return known(address).orElseGet(() -> FrameLocation.home(address));
    }

    /** Where, as far as is known, a chunk lies beside its home. */
    synchronized Optional<FrameLocation> known(ChunkAddress address) {
        Map<Integer, List<Move>> moves = kept.get(address.pack());
        List<Move> ofFrame = moves == null ? null : moves.get(address.offset());
        return ofFrame == null ? Optional.empty() : Optional.of(location(address, ofFrame.getFirst()));
    }

    static FrameLocation location(ChunkAddress address, Move move) {
        return new FrameLocation(address, move.to(), Optional.of(move.chunk()));
    }

    /** The store has said that there is no such pack. */
    synchronized void markGone(PackId pack) {
        gone.add(pack);
    }

    /**
     * Stores moves. The frames that they lead to must be in the store already, and stay: gc keeps what moves of a needed pack lead to.
     *
     * @param moves from any packs
     */
    public void put(Collection<Move> moves) throws IOException {
        for (Map.Entry<PackId, List<Move>> ofPack : moves.stream().collect(Collectors.groupingBy(Move::pack)).entrySet()) {
            List<Move> all = ofPack.getValue();
            for (int from = 0; from < all.size(); from += MoveObjects.MOST_MOVES) {
                List<Move> some = all.subList(from, Math.min(all.size(), from + MoveObjects.MOST_MOVES));
                ObjectKey key = MoveObjects.newKey(ofPack.getKey());
                repository.putSealed(key, MoveObjects.encode(ofPack.getKey(), some));
            }
        }
    }
}
