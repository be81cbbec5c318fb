package io.afterimage.maintenance;

import io.afterimage.store.KeyPrefix;
import io.afterimage.store.ListPage;
import io.afterimage.store.ObjectInfo;
import io.afterimage.store.ObjectKey;
import io.afterimage.store.ObjectStore;
import io.afterimage.store.StoreException;
import java.nio.ByteBuffer;
import java.util.Collection;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A store that lists objects whose names are UUIDs in the order in which the names were first used, so that a history does not depend on
 * the chance that makes them. Inside they have other names; whoever uses the store sees his own.
 */
final class NamesInOrder implements ObjectStore {

    private static final Pattern NAME = Pattern.compile("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}");

    private final ObjectStore store;
    private final Map<String, String> inside = new HashMap<>();
    private final Map<String, String> outside = new HashMap<>();

    NamesInOrder(ObjectStore store) {
        this.store = store;
    }

    private synchronized ObjectKey inside(ObjectKey key) {
        return replace(key, name -> inside.computeIfAbsent(name, _ -> {
            String next = new UUID(0, inside.size()).toString();
            outside.put(next, name);
            return next;
        }));
    }

    private synchronized ObjectInfo outside(ObjectInfo object) {
        return new ObjectInfo(replace(object.key(), outside::get), object.size(), object.lastModified());
    }

    private interface Names {
        String of(String name);
    }

    private static ObjectKey replace(ObjectKey key, Names names) {
        Matcher matcher = NAME.matcher(key.value());
        return matcher.find() ? new ObjectKey(matcher.replaceFirst(names.of(matcher.group()))) : key;
    }

    @Override
    public void put(ObjectKey key, ByteBuffer... content) throws StoreException {
        store.put(inside(key), content);
    }

    @Override
    public void get(ObjectKey key, long offset, ByteBuffer target) throws StoreException {
        store.get(inside(key), offset, target);
    }

    @Override
    public byte[] getWhole(ObjectKey key, int maxBytes) throws StoreException {
        return store.getWhole(inside(key), maxBytes);
    }

    @Override
    public ListPage list(KeyPrefix prefix, Optional<ObjectKey> after) throws StoreException {
        ListPage page = store.list(prefix, after.map(this::inside));
        return new ListPage(page.objects().stream().map(this::outside).toList(), page.last());
    }

    @Override
    public void delete(Collection<ObjectKey> keys) throws StoreException {
        store.delete(keys.stream().map(this::inside).toList());
    }

    @Override
    public void close() throws StoreException {
        store.close();
    }

    @Override
    public String toString() {
        return store.toString();
    }
}
