/**
 * Where a repository's objects live, reduced to what every object store can do: PUT, ranged GET, LIST, DELETE.
 *
 * <p>{@link io.afterimage.store.ObjectStore} is the port; its providers are {@link io.afterimage.store.MemoryObjectStore},
 * {@code store.file} and {@code store.s3}, each alone in knowing its file system or SDK. {@link io.afterimage.store.RetryingStore}
 * is the one layer that retries and {@link io.afterimage.store.CountingStore} counts what a task costs; both wrap any store.
 * {@link io.afterimage.store.StoreException} says what went wrong and whether to ask again makes sense.
 *
 * <p>What only some stores have is a capability that the port may give: {@link io.afterimage.store.ObjectLock}, with its own contract,
 * {@code ObjectLockContract}.
 *
 * <p>Nothing here knows what an object means: no chunk, pack, manifest or point is imported. Every provider passes the same
 * contract suite, {@code ObjectStoreContract} in the test-jar of this module.
 */
package io.afterimage.store;
