package io.afterimage.store;

import java.nio.ByteBuffer;
import java.util.Optional;

/**
 * What only some stores can do: keep an object as it is until an instant, whoever asks to change or delete it, with whatever credentials. Such a
 * store keeps versions. {@link ObjectStore#put} of a locked key lays another version over the locked one, and {@link ObjectStore#delete} hides it:
 * the key reads so from then on, yet the version stays, and so does what it costs, until its retention is over. Thread-safe, with the promises that
 * {@link ObjectStore} makes on threads, interruption, time and retries.
 */
public interface ObjectLock {

    /** Stores an object as {@link ObjectStore#put} does, under retention from the first moment on. */
    void put(ObjectKey key, Retention retention, ByteBuffer... content) throws StoreException;

    /**
     * What the object is under now; empty if it may be deleted. A retention that is over may be told or not.
     *
     * @throws ObjectNotFoundException if there is no such object
     */
    Optional<Retention> retention(ObjectKey key) throws StoreException;

    /**
     * Puts an object under retention, in place of any it is under, which must not end later. Of one that is not over the mode is to be kept: some stores
     * refuse to change it in either direction, and others may let it be made weaker.
     *
     * @throws ObjectNotFoundException if there is no such object
     * @throws StoreException with {@link Problem#ACCESS_DENIED} if the one it is under does not allow it
     */
    void retain(ObjectKey key, Retention retention) throws StoreException;
}
