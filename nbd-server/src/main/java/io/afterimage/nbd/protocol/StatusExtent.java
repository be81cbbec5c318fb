package io.afterimage.nbd.protocol;

import io.afterimage.block.ByteRange;

/**
 * A run of bytes with one status in a metadata context.
 *
 * @param range the bytes, at least one
 * @param flags what the context says of them; 32 bits wide on a connection without extended headers
 */
public record StatusExtent(ByteRange range, long flags) {

    public StatusExtent {
        if (range.isEmpty()) {
            throw new IllegalArgumentException("a status extent has at least one byte: " + range);
        }
    }

    public StatusExtent(long offset, long length, long flags) {
        this(new ByteRange(offset, length), flags);
    }
}
