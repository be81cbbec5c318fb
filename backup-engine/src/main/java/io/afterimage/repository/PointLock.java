package io.afterimage.repository;

import io.afterimage.catalog.Point;
import io.afterimage.chunk.PackId;
import io.afterimage.manifest.Manifest;
import io.afterimage.pack.PackObjects;
import io.afterimage.repository.RepositoryException.Reason;
import io.afterimage.store.Listing;
import io.afterimage.store.ObjectKey;
import io.afterimage.store.ObjectLock;
import io.afterimage.store.ObjectNotFoundException;
import io.afterimage.store.Problem;
import io.afterimage.store.Retention;
import io.afterimage.store.StoreException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * Puts what a new point needs under its retention, where it is not yet: the packs that were there before, for chunks that were moved what leads
 * to them, and the repository's header. What the point's own backup stores is under retention from the first moment on, and needs nothing of this.
 *
 * <p>The descriptor of the parent tells what is locked without a question: if the parent is immutable for as long, so are its packs. In an encrypted
 * repository nobody else can have written it; in a clear one whoever can write may lie about more than this.
 *
 * <p>Beside a gc that empties a pack: gc stores the moves, then asks whether the pack is locked, then deletes it. This locks packs, then looks for moves. So
 * either gc finds the lock and leaves the pack, or the moves are found here and what they lead to is locked.
 */
final class PointLock {

    /** Others may change a retention between our look and our step. */
    private static final int TRIES = 5;

    private final Repository repository;
    private final ObjectLock lock;
    private final Retention retention;
    private final Set<ObjectKey> locked = new HashSet<>();

    PointLock(Repository repository, Immutability immutability) {
        this.repository = repository;
        lock = immutability.lock();
        retention = immutability.retention();
    }

    /**
     * Returns when all that the manifest refers to is locked.
     *
     * @param stored by this backup, under its retention
     * @throws RepositoryException if a pack is lost, so that there would be nothing to lock
     */
    void cover(Manifest manifest, Optional<Manifest> parent, Set<PackId> stored) throws IOException {
        Set<PackId> packs = new HashSet<>(manifest.packs().ids());
        packs.removeAll(stored);
        if (parent.isPresent() && isCovered(parent.get())) {
            packs.removeAll(parent.get().packs().ids());
        }
        // Always asked: each change of the key slots stores another version, and without it an encrypted repository is lost.
        if (!lock(RepositoryHeader.KEY)) {
            throw new RepositoryException(
                    Reason.DAMAGED, "The point cannot be immutable, since " + RepositoryHeader.KEY + " has just been deleted: put it back first.");
        }
        Set<PackId> lost = new HashSet<>();
        while (!packs.isEmpty()) {
            lost.addAll(missing(packs));
            packs = follow(packs, lost, stored);
        }
        if (!lost.isEmpty()) {
            throw new RepositoryException(
                    Reason.DAMAGED,
                    "The point cannot be immutable, since the pack " + lost.iterator().next() + " that it shares with older points is lost: run "
                            + "'afterimage verify', then back up again, which heals what the machine still has.");
        }
    }

    private boolean isCovered(Manifest parent) throws IOException {
        return repository.catalog().find(parent.machine(), parent.point()).flatMap(Point::immutable).filter(held -> held.covers(retention)).isPresent();
    }

    /** Locks packs; those that are not there are returned. */
    private Set<PackId> missing(Set<PackId> packs) throws IOException {
        Set<PackId> missing = new HashSet<>();
        new RequestWindow(repository.requestsAtOnce()).<PackId, Optional<PackId>>forEach(
                packs, pack -> lock(PackObjects.key(pack)) ? Optional.empty() : Optional.of(pack), pack -> pack.ifPresent(missing::add));
        packs.forEach(pack -> locked.add(PackObjects.key(pack)));
        return missing;
    }

    /** Locks the moves out of these packs; returns the packs that they lead to and that are not locked yet. A pack that moves lead out of is not lost. */
    private Set<PackId> follow(Set<PackId> packs, Set<PackId> lost, Set<PackId> stored) throws IOException {
        List<ObjectKey> objects = new ArrayList<>();
        Listing listing = repository.store().list(MoveObjects.ALL);
        while (listing.hasNext()) {
            ObjectKey key = listing.next().key();
            MoveObjects.pack(key).filter(packs::contains).ifPresent(_ -> objects.add(key));
        }
        Set<PackId> targets = new HashSet<>();
        for (ObjectKey key : objects) {
            PackId pack = MoveObjects.pack(key).orElseThrow();
            List<Move> moves = repository.moves().require(pack, key);
            if (lock(key) && !moves.isEmpty()) {
                lost.remove(pack);
                targets.addAll(moves.stream().map(move -> move.to().pack()).collect(Collectors.toSet()));
            }
        }
        targets.removeAll(stored);
        targets.removeIf(pack -> locked.contains(PackObjects.key(pack)));
        return targets;
    }

    /** Sees to it that the object is under the retention at least; false if it is not there. */
    private boolean lock(ObjectKey key) throws IOException {
        try {
            for (int tries = 1; ; tries++) {
                Optional<Retention> present = lock.retention(key);
                if (present.filter(held -> held.covers(retention)).isPresent()) {
                    return true;
                }
                try {
                    // Never weaker than it is: no store is relied on to refuse that.
                    lock.retain(key, present.map(retention::with).orElse(retention));
                } catch (StoreException e) {
                    if (e.problem() != Problem.ACCESS_DENIED || tries == TRIES) {
                        throw e;
                    }
                    if (lock.retention(key).equals(present)) {
                        throw present.filter(held -> held.mode() != retention.mode()).isPresent() ? otherMode(key, present.get(), e) : e;
                    }
                }
            }
        } catch (ObjectNotFoundException e) {
            return false;
        }
    }

    private RepositoryException otherMode(ObjectKey key, Retention present, StoreException cause) {
        return new RepositoryException(
                Reason.OTHER_MODE,
                "The point cannot be under " + retention.mode() + " retention, since the object " + key + " that it shares with older points is under "
                        + present.mode() + " retention until " + present.until() + " and the store does not change that: keep to one mode in a repository.",
                cause);
    }
}
