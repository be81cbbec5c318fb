package io.afterimage.store;

import java.io.Closeable;
import java.nio.ByteBuffer;
import java.time.Instant;
import java.util.Collection;
import java.util.List;
import java.util.Optional;

/**
 * Named, immutable-by-custom byte strings in a place that outlives this host: the only way to a repository's bytes.
 *
 * <p>The surface is what every object store has and no more: no conditional PUT, no rename, no append, no HEAD. Keep it so.
 * What few stores have is a capability, which callers do without where it is not there ({@link #objectLock}).
 *
 * <p>What an implementation must guarantee:
 * <ul>
 * <li><b>Durability.</b> When {@link #put} or {@link #delete} has returned, its effect survives the death of this process, and of
 *     this host as far as the store itself does.
 * <li><b>Read after write.</b> A GET or LIST that begins, on any host, after a PUT or DELETE has returned sees its effect.
 * <li><b>Atomicity.</b> An object is there whole or not at all, whenever and by whomever it is looked at; while it is being
 *     overwritten a reader sees the old bytes or the new ones, within one GET never a mixture.
 * <li><b>Threads.</b> All methods may be called by many threads at once. Of two PUTs or DELETEs of one key that overlap in time,
 *     either may win.
 * <li><b>Interruption.</b> Interrupting a thread ends its call soon with {@link Problem#INTERRUPTED}, the interrupt flag set; calls of
 *     other threads are not disturbed.
 * <li><b>Bounded time.</b> A call ends by itself, if need be with {@link Problem#TIMED_OUT}; no call waits for ever.
 * <li><b>No retries.</b> A failure is reported as it comes, classified by {@link StoreException.Outcome}; {@link RetryingStore} alone repeats.
 * <li><b>Absence is proven.</b> A store that has itself gone away (a folder unmounted, a bucket removed) is {@link Problem#STORE_MISSING}, never an
 *     empty store and never {@link ObjectNotFoundException}.
 * </ul>
 *
 * <p>Bytes read are as the store returned them: whoever reads verifies them. A key that is also the folder of another key
 * ({@code a} and {@code a/b}) is not supported. {@code toString()} names the store to its user.
 */
public interface ObjectStore extends Closeable {

    /** The most objects that one LIST page holds and that one DELETE takes: what S3 allows in one request. */
    int PAGE = 1000;

    /**
     * Stores an object, whole, in place of any object of that key.
     *
     * @param content the object's bytes: the remaining bytes of these buffers in turn. Positions and limits are left as they are; the bytes
     *                must not change before the call has returned
     */
    void put(ObjectKey key, ByteBuffer... content) throws StoreException;

    /**
     * Fills {@code target} up to its limit with the object's bytes from {@code offset} on, and moves its position there.
     * When it throws, the position is where it was and the bytes behind it are undefined. An empty target asks for nothing.
     *
     * @throws ObjectNotFoundException if there is no such object
     * @throws StoreException          with {@link Problem#TOO_SHORT} if the object ends before the range does
     */
    void get(ObjectKey key, long offset, ByteBuffer target) throws StoreException;

    /**
     * The bytes of a whole object, of which no more than {@code maxBytes} are ever taken in, whatever a hostile store sends.
     *
     * @throws ObjectNotFoundException if there is no such object
     * @throws StoreException          with {@link Problem#TOO_LARGE} if the object has more than {@code maxBytes} bytes
     */
    byte[] getWhole(ObjectKey key, int maxBytes) throws StoreException;

    /**
     * One page of the objects whose keys begin with {@code prefix}, in the order of their keys ({@link ObjectKey#compareTo}).
     * An object stored or deleted while a listing goes on may be in it or not; all others are in it, once.
     * What is not an {@link ObjectKey} (foreign files, half-written objects) is left out.
     *
     * @param after only keys greater than this are listed; it need not be there
     */
    ListPage list(KeyPrefix prefix, Optional<ObjectKey> after) throws StoreException;

    /** The first of the objects that {@link #list} would tell, if there is any; for a store that can be asked for fewer than a page of them, a request that takes no more than that. */
    default Optional<ObjectInfo> first(KeyPrefix prefix) throws StoreException {
        return list(prefix, Optional.empty()).objects().stream().findFirst();
    }

    /**
     * Removes objects; those that are not there are passed over. After a failure any of them may be gone.
     *
     * @param keys at most {@link #PAGE}
     */
    void delete(Collection<ObjectKey> keys) throws StoreException;

    /** Removes an object, if it is there. */
    default void delete(ObjectKey key) throws StoreException {
        delete(List.of(key));
    }

    /** All objects below {@code prefix}, fetched page by page as they are asked for. */
    default Listing list(KeyPrefix prefix) {
        return new Listing(this, prefix, Optional.empty());
    }

    /** The same from the first key on that is greater than {@code after}, which need not be there. */
    default Listing listAfter(KeyPrefix prefix, ObjectKey after) {
        return new Listing(this, prefix, Optional.of(after));
    }

    /**
     * Gives back the space of PUTs that were begun before {@code before} and never ended because their process died.
     * No listing shows them. The caller chooses an instant before which no PUT can still be under way.
     */
    default void removeLeftovers(Instant before) throws StoreException {}

    /** What the store can do beside the rest, here and now; empty if it cannot. May cost a request. */
    default Optional<ObjectLock> objectLock() throws StoreException {
        return Optional.empty();
    }

    /** Throws {@link IllegalArgumentException} if these are more keys than one DELETE takes. */
    static void checkDeletable(Collection<ObjectKey> keys) {
        if (keys.size() > PAGE) {
            throw new IllegalArgumentException(keys.size() + " keys in one DELETE");
        }
    }

    /** Gives up connections and open files; no other call is made at or after that. Stored objects are not touched. */
    @Override
    void close() throws StoreException;
}
