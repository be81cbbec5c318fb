package io.afterimage.repository;

import io.afterimage.repository.RepositoryException.Reason;
import io.afterimage.store.ObjectLock;
import io.afterimage.store.Retention;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;

/**
 * What keeps the objects of new points as they are, whoever has the credentials: the store's object lock.
 *
 * @param retention what each object of a point is under at least, before its descriptor is stored
 */
public record Immutability(ObjectLock lock, Retention retention) {

    /** As far as a retention is set in advance, at most. */
    private static final Duration LONGEST_GENERATION = Duration.ofDays(10);

    /**
     * For points that are made now.
     *
     * @param period for which they cannot be deleted: so long at least, and at most a third of it or ten days longer, since ends of retention are
     *     multiples of that. So all points of a generation end together, and what one of them has locked is locked long enough for the next
     * @throws RepositoryException if the repository's store cannot lock objects
     */
    public static Immutability of(Repository repository, Retention.Mode mode, Duration period, Instant now) throws IOException {
        ObjectLock lock = repository.store().objectLock().orElseThrow(() -> new RepositoryException(
                Reason.NO_OBJECT_LOCK,
                "No point can be immutable in " + repository.store() + ", which has no object lock: take a bucket that was made with it (of AWS, "
                        + "Ceph, MinIO or another store that has it), or leave --immutable away."));
        return new Immutability(lock, new Retention(mode, end(period, now)));
    }

    static Instant end(Duration period, Instant now) {
        Duration third = period.dividedBy(3);
        long generation = Math.max(1, (third.compareTo(LONGEST_GENERATION) < 0 ? third : LONGEST_GENERATION).toSeconds());
        Instant least = now.plus(period);
        long seconds = least.getNano() > 0 ? least.getEpochSecond() + 1 : least.getEpochSecond();
        return Instant.ofEpochSecond(Math.ceilDiv(seconds, generation) * generation);
    }
}
