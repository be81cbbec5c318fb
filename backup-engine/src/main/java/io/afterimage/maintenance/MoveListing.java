package io.afterimage.maintenance;

import io.afterimage.chunk.PackId;
import io.afterimage.repository.Move;
import io.afterimage.repository.MoveObjects;
import io.afterimage.repository.Repository;
import io.afterimage.repository.RequestWindow;
import io.afterimage.store.Listing;
import io.afterimage.store.ObjectKey;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * All moves of a repository as they were when they were listed, and those added since. For one thread.
 *
 * @param objects where they lie, by the pack that they lead away from
 * @param moves what they say
 */
record MoveListing(Map<PackId, List<ObjectKey>> objects, Map<PackId, List<Move>> moves) {

    /** @throws io.afterimage.repository.RepositoryException if one of them cannot be read */
    static MoveListing of(Repository repository) throws IOException {
        record Found(PackId pack, ObjectKey key) {}
        List<Found> found = new ArrayList<>();
        Listing listing = repository.store().list(MoveObjects.ALL);
        while (listing.hasNext()) {
            ObjectKey key = listing.next().key();
            MoveObjects.pack(key).ifPresent(pack -> found.add(new Found(pack, key)));
        }
        Map<PackId, List<ObjectKey>> objects = new TreeMap<>();
        found.forEach(each -> objects.computeIfAbsent(each.pack, _ -> new ArrayList<>()).add(each.key));
        Map<PackId, List<Move>> moves = new TreeMap<>();
        new RequestWindow(repository.requestsAtOnce()).<Found, List<Move>>forEach(
                found,
                each -> repository.moves().require(each.pack, each.key),
                read -> read.forEach(move -> moves.computeIfAbsent(move.pack(), _ -> new ArrayList<>()).add(move)));
        return new MoveListing(objects, moves);
    }

    void add(PackId pack, List<Move> added) {
        moves.computeIfAbsent(pack, _ -> new ArrayList<>()).addAll(added);
    }

    /** Those of one pack. */
    List<Move> of(PackId pack) {
        return moves.getOrDefault(pack, List.of());
    }
}
