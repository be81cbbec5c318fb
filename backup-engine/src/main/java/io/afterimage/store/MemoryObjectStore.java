package io.afterimage.store;

import java.nio.ByteBuffer;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.concurrent.ConcurrentSkipListMap;

/** A store in this process's heap, for tests and trials: all that a store promises, except that it outlives the process. */
public final class MemoryObjectStore implements ObjectStore {

    private static final String NAME = "memory";

    private final ConcurrentSkipListMap<ObjectKey, Entry> objects = new ConcurrentSkipListMap<>();
    private final InstantSource clock;
    private final int page;

    private record Entry(ByteBuffer content, Instant stored) {}

    public MemoryObjectStore() {
        this(InstantSource.system(), PAGE);
    }

    /** @param page how many objects a page of a listing holds, at most {@link #PAGE} */
    public MemoryObjectStore(InstantSource clock, int page) {
        if (page < 1 || page > PAGE) {
            throw new IllegalArgumentException("a page of " + page);
        }
        this.clock = clock;
        this.page = page;
    }

    @Override
    public void put(ObjectKey key, ByteBuffer... content) throws StoreException {
        checkInterrupt(Operation.PUT, key.value());
        int length = 0;
        for (ByteBuffer part : content) {
            length = Math.addExact(length, part.remaining());
        }
        ByteBuffer whole = ByteBuffer.allocate(length);
        for (ByteBuffer part : content) {
            whole.put(part.duplicate());
        }
        objects.put(key, new Entry(whole.flip().asReadOnlyBuffer(), clock.instant()));
    }

    @Override
    public void get(ObjectKey key, long offset, ByteBuffer target) throws StoreException {
        checkInterrupt(Operation.GET, key.value());
        if (!target.hasRemaining()) {
            return;
        }
        ByteBuffer content = content(key);
        if (offset > content.remaining() - target.remaining()) {
            throw failure(Operation.GET, key.value(), Problem.TOO_SHORT);
        }
        target.put(content.slice(Math.toIntExact(offset), target.remaining()));
    }

    @Override
    public byte[] getWhole(ObjectKey key, int maxBytes) throws StoreException {
        checkInterrupt(Operation.GET, key.value());
        ByteBuffer content = content(key);
        if (content.remaining() > maxBytes) {
            throw failure(Operation.GET, key.value(), Problem.TOO_LARGE);
        }
        byte[] whole = new byte[content.remaining()];
        content.get(0, whole);
        return whole;
    }

    @Override
    public ListPage list(KeyPrefix prefix, Optional<ObjectKey> after) throws StoreException {
        checkInterrupt(Operation.LIST, prefix.value());
        NavigableMap<ObjectKey, Entry> rest = after.map(key -> objects.tailMap(key, false)).orElse(objects);
        List<ObjectInfo> found = new ArrayList<>();
        for (var object : rest.entrySet()) {
            if (prefix.includes(object.getKey())) {
                if (found.size() == page) {
                    return new ListPage(found, false);
                }
                found.add(new ObjectInfo(object.getKey(), object.getValue().content().remaining(), object.getValue().stored()));
            }
        }
        return new ListPage(found, true);
    }

    @Override
    public void delete(Collection<ObjectKey> keys) throws StoreException {
        ObjectStore.checkDeletable(keys);
        checkInterrupt(Operation.DELETE, "");
        objects.keySet().removeAll(keys);
    }

    @Override
    public void close() {}

    @Override
    public String toString() {
        return NAME;
    }

    private ByteBuffer content(ObjectKey key) throws StoreException {
        Entry entry = objects.get(key);
        if (entry == null) {
            throw new ObjectNotFoundException(key, NAME, null);
        }
        return entry.content();
    }

    private static void checkInterrupt(Operation operation, String subject) throws StoreException {
        if (Thread.currentThread().isInterrupted()) {
            throw failure(operation, subject, Problem.INTERRUPTED);
        }
    }

    private static StoreException failure(Operation operation, String subject, Problem problem) {
        return new StoreException(operation, subject, NAME, problem, StoreException.Outcome.FATAL, null);
    }
}
