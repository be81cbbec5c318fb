package io.afterimage.store;

/** There is no object of that key, though the store itself is there and answers. */
public final class ObjectNotFoundException extends StoreException {

    private static final long serialVersionUID = 1;

    /** @param cause what the file system or SDK threw, or null */
    public ObjectNotFoundException(ObjectKey key, String store, Throwable cause) {
        super(Operation.GET, key.value(), store, Problem.NOT_FOUND, Outcome.FATAL, cause);
    }
}
