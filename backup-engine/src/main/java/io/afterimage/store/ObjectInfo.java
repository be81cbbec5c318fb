package io.afterimage.store;

import java.time.Instant;

/**
 * What a listing tells of an object.
 *
 * @param size         in bytes
 * @param lastModified when it was stored, by the store's clock, which need not agree with ours
 */
public record ObjectInfo(ObjectKey key, long size, Instant lastModified) {

    public ObjectInfo {
        if (size < 0) {
            throw new IllegalArgumentException("negative object size");
        }
    }
}
