package io.afterimage.maintenance;

import io.afterimage.chunk.PackId;
import io.afterimage.pack.PackObjects;
import io.afterimage.repository.Repository;
import io.afterimage.repository.RequestWindow;
import io.afterimage.store.ObjectKey;
import io.afterimage.store.ObjectLock;
import io.afterimage.store.ObjectNotFoundException;
import io.afterimage.store.Problem;
import io.afterimage.store.Retention;
import io.afterimage.store.StoreException;
import java.io.IOException;
import java.time.Instant;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Which objects the store will not let go yet. To delete one of them would hide it and win nothing. One question for each object, so it is
 * asked of those alone that gc would delete, and not at all where the store has no object lock. For one thread.
 */
final class LockedObjects {

    private static final Logger LOG = LoggerFactory.getLogger(LockedObjects.class);

    private final Optional<ObjectLock> lock;
    private final int requestsAtOnce;
    private final Instant now;
    private final Map<ObjectKey, Instant> until = new HashMap<>();

    private record Answer(ObjectKey key, Optional<Instant> until) {}

    private LockedObjects(Optional<ObjectLock> lock, int requestsAtOnce, Instant now) {
        this.lock = lock;
        this.requestsAtOnce = requestsAtOnce;
        this.now = now;
    }

    static LockedObjects of(Repository repository, Instant now) throws IOException {
        return new LockedObjects(lock(repository), repository.requestsAtOnce(), now);
    }

    private static Optional<ObjectLock> lock(Repository repository) throws IOException {
        try {
            return repository.store().objectLock();
        } catch (StoreException e) {
            if (e.problem() != Problem.ACCESS_DENIED) {
                throw e;
            }
            // Credentials without that permission are common, and what is locked cannot be lost by deleting.
            LOG.info("Whether objects are locked may not be asked: {}", e.getMessage());
            return Optional.empty();
        }
    }

    /** Asks of these, whatever was known of them. */
    void look(Collection<ObjectKey> keys) throws IOException {
        if (lock.isPresent()) {
            new RequestWindow(requestsAtOnce).<ObjectKey, Answer>forEach(keys, this::ask, answer -> {
                until.remove(answer.key);
                answer.until.ifPresent(end -> until.put(answer.key, end));
            });
        }
    }

    private Answer ask(ObjectKey key) throws IOException {
        try {
            return new Answer(key, lock.orElseThrow().retention(key).map(Retention::until).filter(end -> end.isAfter(now)));
        } catch (ObjectNotFoundException e) {
            return new Answer(key, Optional.empty());
        }
    }

    /** Of these packs, in their order, those that may be deleted; they are asked of now. */
    List<PackId> free(Collection<PackId> packs) throws IOException {
        look(packs.stream().map(PackObjects::key).toList());
        return packs.stream().filter(pack -> !contains(PackObjects.key(pack))).toList();
    }

    boolean contains(ObjectKey key) {
        return until.containsKey(key);
    }

    /** Those found locked when they were last asked of, and until when. */
    Map<ObjectKey, Instant> all() {
        return Map.copyOf(until);
    }
}
